"""Where every name is used."""

from __future__ import annotations

from typing import NamedTuple

from concord.scan import code_lines, is_name, words
from concord.source import read_lines


class Place(NamedTuple):
    """One use of a name; lines count from 1."""

    path: str
    line: int


Uses = dict[str, list[Place]]


class Entry:
    """A name and the lines of one file that use it, one for each use."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[int] = []


def find(entries: list[Entry], name: str) -> Entry | None:
    """The entry of a name, if it has one."""
    for entry in entries:
        if entry.name == name:
            return entry
    return None


def file_entries(path: str) -> list[Entry]:
    """The names of one file, in the order of their first use."""
    entries: list[Entry] = []
    for number, line in enumerate(code_lines(read_lines(path)), start=1):
        for word in words(line):
            if not is_name(word):
                continue
            entry = find(entries, word)
            if entry is None:
                entry = Entry(word)
                entries.append(entry)
            entry.lines.append(number)
    return entries


def build(paths: list[str]) -> Uses:
    """All uses of all names, by name, in the order of the files and their lines."""
    uses: Uses = {}
    for path in paths:
        for entry in file_entries(path):
            if entry.name not in uses:
                uses[entry.name] = []
            for number in entry.lines:
                uses[entry.name].append(Place(path, number))
    return uses
