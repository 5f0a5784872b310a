"""Reading the few settings of a TOML file that matter here, also where Python has no parser (before 3.11)."""

from __future__ import annotations

import json
import re
from typing import Any

BOM = "\ufeff"
_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_TABLE = re.compile(rf"\[\[?\s*({_DOTTED})\s*\]\]?\s*(?:#.*)?")
_PAIR = re.compile(rf"({_DOTTED})\s*=\s*(.*)")
_LONG = re.compile(r"""=\s*("{3}|'{3})""")
_WORDS = {"true": True, "false": False}


def parse(text: str) -> dict[str, Any]:
    """The tables of `text`. Raises `ValueError` where it is no TOML (told only by Python 3.11 and newer); Codex
    takes some newer forms that Python calls so, such as an inline table over several lines.

    Older Pythons read what `lenient` reads.
    """
    import importlib

    try:
        parser = importlib.import_module("tomllib")
    except ImportError:
        return lenient(text)
    found: dict[str, Any] = parser.loads(text.lstrip(BOM))
    return found


def lenient(text: str) -> dict[str, Any]:
    """Tables, strings, lists of them, booleans and whole numbers on one line; the rest is passed over."""
    return _lines(text.lstrip(BOM))


def table_of(line: str) -> tuple[str, ...]:
    """The key of the table that a line opens, () for another line."""
    opened = _TABLE.fullmatch(line.strip())
    return tuple(_keys(opened[1])) if opened and not line.strip().startswith("[[") else ()


def _lines(text: str) -> dict[str, Any]:
    root: dict[str, Any] = {}
    table = root
    within = ""  # a text over several lines, by its quotes
    for line in text.split("\n"):
        line = line.strip()
        begun = _LONG.search(line)
        if within or (begun and line.count(begun[1]) == 1):
            within = "" if within and within in line else within or (begun[1] if begun else "")
            continue
        opened, pair = _TABLE.fullmatch(line), _PAIR.fullmatch(line)
        if opened:
            table = _opened(root, _keys(opened[1]), line.startswith("[["))
        elif pair:
            *path, last = _keys(pair[1])
            _opened(table, path, False).setdefault(last, _value(pair[2]))
    return root


def _opened(table: dict[str, Any], path: list[str], more: bool) -> dict[str, Any]:
    """The table at `path`, made where it is missing; with `more` the next one of an array of tables."""
    for number, key in enumerate(path):
        if more and number == len(path) - 1:
            items = table.setdefault(key, [])
            items.append({})
            made: dict[str, Any] = items[-1]
            return made
        found = table.setdefault(key, {})
        table = found[-1] if isinstance(found, list) and found else found if isinstance(found, dict) else {}
    return table


def _keys(dotted: str) -> list[str]:
    return [_unquoted(key) for key in re.findall(_KEY, dotted)]


def _unquoted(text: str) -> str:
    if text[:1] == "'":
        return text[1:-1]
    try:  # JSON has nearly the same escapes
        return str(json.loads(text, strict=False)) if text[:1] == '"' else text
    except ValueError:
        return re.sub(r"\\(.)", r"\1", text[1:-1])


def _value(text: str) -> Any:
    quoted = re.match(r"""("(?:[^"\\]|\\.)*"|'[^']*')\s*(?:#.*)?$""", text)
    if quoted:
        return _unquoted(quoted[1])
    if text.startswith("{"):  # of an inline table what stands on this line
        pairs = re.findall(rf"""({_DOTTED})\s*=\s*("(?:[^"\\]|\\.)*"|'[^']*'|[^,}}]*)""", text)
        return {_unquoted(key): _value(value.strip()) for key, value in pairs}
    if text.startswith("["):  # of a list on this line its texts
        return [_unquoted(item) for item in re.findall(r""""(?:[^"\\]|\\.)*"|'[^']*'""", text)]
    word = text.split("#")[0].strip()
    return int(word) if re.fullmatch(r"[+-]?\d+", word) else _WORDS.get(word)
