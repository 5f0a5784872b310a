"""JSON within a program's output: the last document, and the values that a path such as `a.b[0].c` leads to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal

from ..kernel.core.frozen import dataclass

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

# Texts, not compiled: most outputs hold no JSON, and every command would pay for it.
_STARTS = r"(?m)^[ \t]?(?=\{\s*(?:[\"}]|\Z)|\[\s*(?:[\[{\"]|\Z))"
_PLAIN_KEY = r"[^.\[\]\s\"']+"
_INDEX = r"\[(-?[0-9]+)\]"
_QUOTED = r"""\[(?:"([^"]*)"|'([^']*)')\]"""
_OPEN = r"\s*\Z|\"[^\"\n]*\n*\Z"
_TO_LINE_END = r"[ \t\r]*(?:\n|\Z)"
_FAILED = 500  # lines that only begin like JSON
_SHOWN = 200  # leaves that are looked at where a name is searched


class Twice:
    """Stands for a key that one object holds twice: which of the two is meant, nobody can say."""


@dataclass(frozen=True)
class Documents:
    """The `last` document of an output (None without one), and whether it ends in the middle of one."""

    last: object
    cut: bool = False


@dataclass(frozen=True)
class Leaf:
    """A number, or a text, at `path`."""

    path: str
    key: str
    value: object


def find(text: str) -> Documents:
    """The last JSON object or array that begins at the begin of a line and ends at the end of one."""
    if "{" not in text and "[" not in text:
        return Documents(None)
    is_open, to_line_end = re.compile(_OPEN), re.compile(_TO_LINE_END)
    decoder = json.JSONDecoder(parse_float=_decimal, parse_constant=str, object_pairs_hook=_object)
    last: object = None
    end = failed = 0
    for match in re.finditer(_STARTS, text):
        if match.end() < end:
            continue
        try:
            value, stop = decoder.raw_decode(text, match.end())
        except (ValueError, RecursionError) as error:
            failed += 1
            if failed > _FAILED or (isinstance(error, json.JSONDecodeError) and is_open.match(text, error.pos)):
                return Documents(last, True)
            continue
        if to_line_end.match(text, stop) and _is_document(value):
            last, end = value, stop
    return Documents(last)


def _is_document(value: object) -> bool:
    """An object, or an array that holds more than plain values: `[47]` is a number in brackets."""
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value)
    )


def _decimal(text: str) -> object:
    try:
        return Decimal(text)
    except ArithmeticError:
        return text


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        found[key] = Twice() if key in found else value
    return found


def at(value: object, path: str) -> list[object]:
    """Everything that `path` may lead to: more than one where keys with dots make it ambiguous."""
    if not path:
        return [value]
    found: list[object] = []
    if isinstance(value, list):
        index = re.match(_INDEX, path)
        if index and -len(value) <= int(index[1]) < len(value):
            found += at(value[int(index[1])], _rest(path[index.end() :]))
    elif isinstance(value, dict):
        quoted = re.match(_QUOTED, path)
        if quoted:
            key = quoted[1] if quoted[1] is not None else quoted[2]
            return at(value[key], _rest(path[quoted.end() :])) if key in value else []
        for key, item in value.items():
            if key and path.startswith(key) and path[len(key) : len(key) + 1] in ("", ".", "["):
                found += at(item, _rest(path[len(key) :]))
    return found


def _rest(path: str) -> str:
    return path[1:] if path.startswith(".") and len(path) > 1 else path


def holders(value: object, path: str) -> list[dict[str, Any]]:
    """The objects on the way to `path`, the one that holds its last key first."""
    cuts = sorted({match.start() for match in re.finditer(r"[.\[]", path)} | {0}, reverse=True)
    ways = (at(value, path[:cut]) for cut in cuts)
    return [found[0] for found in ways if len(found) == 1 and isinstance(found[0], dict)]


def leaves(value: object, path: str = "", key: str = "") -> Iterator[Leaf]:
    """Every number and text below `value` with the path to it, in the order of the document."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, _joined(path, name), name)
    elif isinstance(value, list):
        for number, item in enumerate(value[:_SHOWN]):
            yield from leaves(item, f"{path}[{number}]", key)
    elif path and not isinstance(value, bool) and value is not None:
        yield Leaf(path, key, value)


def _joined(path: str, name: str) -> str:
    if not re.fullmatch(_PLAIN_KEY, name) and not _plain_enough(name):
        return f'{path}["{name}"]'
    return f"{path}.{name}" if path else name


def _plain_enough(name: str) -> bool:
    return re.fullmatch(r"[^\[\]\"'\n]+", name) is not None and not name.startswith(".") and not name.endswith(".")


def is_number(value: object) -> bool:
    """Whether a JSON value is a number (NaN and infinity, which come as text, are not)."""
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)
