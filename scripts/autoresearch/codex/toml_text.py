"""Reading a TOML file, also where Python has no parser (before 3.11) and in forms that Codex takes and Python does not.

A small reader of its own: strings of all four kinds, numbers, lists and inline tables over several lines, dotted keys,
arrays of tables. What is told twice is an error, as it is for Codex. Dates are read as their text.
"""

from __future__ import annotations

import re
from typing import Any

BOM = "\ufeff"
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_TABLE = re.compile(rf"\[\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*\]\s*(?:#.*)?")
_BLANK = re.compile(r"[ \t]*(?:#[^\n]*)?")
_BLANKS = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_LONG = re.compile(r'"""\n?((?:[^"\\]|\\.|"{1,2}(?!"))*"{0,2})"""', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''\n?((?:[^']|'{1,2}(?!'))*'{0,2})'''")
_BASIC = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_LITERAL = re.compile(r"'([^'\n]*)'")
_WORD = re.compile(r"[0-9A-Za-z_.:+-]+(?: [0-9][0-9.:Z+-]*)?")
_WHOLE = re.compile(r"[+-]?(?:0|[1-9](?:_?\d)*)")
_BASED = re.compile(r"0x[0-9A-Fa-f_]+|0o[0-7_]+|0b[01_]+")
_BROKEN = re.compile(r"[+-]?(?:0|[1-9](?:_?\d)*)(?:\.\d(?:_?\d)*)?(?:[eE][+-]?\d(?:_?\d)*)?")
_CLOCK = r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?"
_DATE = re.compile(rf"\d{{4}}-\d\d-\d\d(?:[Tt ]{_CLOCK}(?:[Zz]|[+-]\d\d:\d\d)?)?|{_CLOCK}")
_ESCAPE = re.compile(r"\\(?:(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2})|([ \t]*\n\s*)|(.))", re.DOTALL)
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}
_WORDS = {"true": True, "false": False}


def parse(text: str) -> dict[str, Any]:
    """The tables of `text`. Raises `ValueError` naming the line where it is no TOML."""
    import importlib

    text = text.lstrip(BOM)
    try:
        found: dict[str, Any] = importlib.import_module("tomllib").loads(text)
        return found
    except (ImportError, ValueError):  # none, or one that lacks the newer forms
        return TomlReader(text).read()


def lenient(text: str) -> dict[str, Any]:
    """What can be read of a text that is no TOML: lines that are not understood are passed over."""
    return TomlReader(text.lstrip(BOM), tolerant=True).read()


def table_of(line: str) -> tuple[str, ...]:
    """The key of the table that a line opens, () for another line."""
    line = line.strip()
    if not _TABLE.fullmatch(line):
        return ()
    try:
        return tuple(TomlReader(line[1:]).key())
    except ValueError:
        return ()


class TomlReader:
    """One pass over a text."""

    def __init__(self, text: str, tolerant: bool = False) -> None:
        self.text, self.at, self.tolerant = text.replace("\r\n", "\n"), 0, tolerant
        self.root: dict[str, Any] = {}
        self.table = self.root
        # Tables by their identity: that a head has opened, that dotted keys have made, that are closed to both.
        self.headed: set[int] = set()
        self.dotted: set[int] = set()
        self.closed: set[int] = set()

    def read(self) -> dict[str, Any]:
        """All tables; raises `ValueError` unless tolerant."""
        while self._skip(_BLANKS) < len(self.text):
            began = self.at
            try:
                self._statement()
            except ValueError as error:
                if not self.tolerant:
                    raise ValueError(f"{error} (at line {self.text.count(chr(10), 0, self.at) + 1})") from None
                end = self.text.find("\n", began)
                self.at = end if end >= 0 else len(self.text)
        return self.root

    def _skip(self, what: re.Pattern[str]) -> int:
        found = what.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at

    def _takes(self, text: str) -> bool:
        """Whether `text` comes next; then it is behind us."""
        there = self.text.startswith(text, self.at)
        self.at += len(text) if there else 0
        return there

    def _wants(self, text: str) -> None:
        if not self._takes(text):
            raise ValueError(f"expected {text!r}, found {self.text[self.at : self.at + 12].partition(chr(10))[0]!r}")

    def _statement(self) -> None:
        if self._takes("[["):
            path = self.key()
            self._wants("]]")
            self.table = self._opened(path, True)
        elif self._takes("["):
            path = self.key()
            self._wants("]")
            self.table = self._opened(path, False)
        else:
            path = self.key()
            self._wants("=")
            self._put(self.table, path, self._value())
        if self._skip(_BLANK) < len(self.text):
            self._wants("\n")

    def key(self) -> list[str]:
        """A dotted key, with the blanks around it."""
        found = []
        while True:
            self._skip(_BLANK)
            bare = _BARE.match(self.text, self.at)
            found.append(bare[0] if bare else self._quoted((_BASIC, _LITERAL)))
            self.at = bare.end() if bare else self.at
            self._skip(_BLANK)
            if not self._takes("."):
                return found

    def _opened(self, path: list[str], more: bool) -> dict[str, Any]:
        table = self.root
        for name in path[:-1]:
            table = self._inner(table, name)
        name = path[-1]
        if more:
            items = table.setdefault(name, [])
            if not isinstance(items, list) or id(items) in self.closed:
                raise ValueError(f"{name} is there already")
            added: dict[str, Any] = {}
            items.append(added)
            return added
        made = table.setdefault(name, {})
        if not isinstance(made, dict) or id(made) in self.headed | self.dotted | self.closed:
            raise ValueError(f"{name} is there already")
        self.headed.add(id(made))
        return made

    def _inner(self, table: dict[str, Any], name: str) -> dict[str, Any]:
        """The table `name`, made where it is missing; of an array of tables the last one."""
        found = table.setdefault(name, {})
        if isinstance(found, list) and found and id(found) not in self.closed:
            found = found[-1]
        if not isinstance(found, dict) or id(found) in self.closed:
            raise ValueError(f"{name} is no table to which more can be added")
        return found

    def _put(self, table: dict[str, Any], path: list[str], value: Any) -> None:
        for name in path[:-1]:
            table = self._inner(table, name)
            self.dotted.add(id(table))
        if path[-1] in table:
            raise ValueError(f"{path[-1]} is there already")
        table[path[-1]] = value

    def _value(self) -> Any:
        self._skip(_BLANK)
        if self.text[self.at : self.at + 1] in ('"', "'"):
            return self._quoted((_LONG, _LONG_LITERAL, _BASIC, _LITERAL))
        if self._takes("["):
            return self._list()
        if self._takes("{"):
            return self._inline()
        word = _WORD.match(self.text, self.at)
        if word is None:
            raise ValueError("expected a value")
        self.at = word.end()
        return _plain(word[0])

    def _quoted(self, kinds: tuple[re.Pattern[str], ...]) -> str:
        for kind in kinds:
            found = kind.match(self.text, self.at)
            if found:
                self.at = found.end()
                return found[1] if kind in (_LITERAL, _LONG_LITERAL) else _ESCAPE.sub(_unescaped, found[1])
        raise ValueError("expected a key or a text in quotes")

    def _list(self) -> list[Any]:
        found: list[Any] = []
        self.closed.add(id(found))
        while True:
            self._skip(_BLANKS)
            if self._takes("]"):
                return found
            found.append(self._value())
            self._skip(_BLANKS)
            if not self._takes(","):
                self._wants("]")
                return found

    def _inline(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while True:
            self._skip(_BLANKS)
            if self._takes("}"):
                break
            path = self.key()
            self._wants("=")
            self._put(found, path, self._value())
            self._skip(_BLANKS)
            if not self._takes(","):
                self._wants("}")
                break
        self._close(found)
        return found

    def _close(self, table: dict[str, Any]) -> None:
        """Let nothing be added to an inline table from outside."""
        self.closed.add(id(table))
        for inner in table.values():
            if isinstance(inner, dict):
                self._close(inner)


def _unescaped(found: re.Match[str]) -> str:
    code, fold, letter = found.groups()
    if code:
        number = int(code[1:], 16)
        if number > 0x10FFFF or 0xD800 <= number < 0xE000:
            raise ValueError(f"\\{code} is no character")
        return chr(number)
    if fold is not None:
        return ""
    if letter not in _ESCAPED:
        raise ValueError(f"\\{letter} is no escape")
    return _ESCAPED[letter]


def _plain(word: str) -> Any:
    """A value without quotes: a whole number, one with a fraction, a date as its text, true or false."""
    if word in _WORDS:
        return _WORDS[word]
    if _WHOLE.fullmatch(word):
        return int(word.replace("_", ""))
    if _BASED.fullmatch(word):
        return int(word.replace("_", ""), 0)
    if _BROKEN.fullmatch(word):
        return float(word.replace("_", ""))
    if _DATE.fullmatch(word) or word.lstrip("+-") in ("inf", "nan"):
        return word
    raise ValueError(f"{word[:20]!r} is no value")
