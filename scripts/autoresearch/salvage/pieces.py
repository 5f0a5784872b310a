"""An edit in pieces: its hunks, and the content that some of them give. Pure; content is bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..kernel.core.frozen import dataclass

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True)
class Hunk:
    """Lines of the old content, from `start` (counted from 0) on `length` of them, and what takes their place."""

    start: int
    length: int
    lines: tuple[bytes, ...]


@dataclass(frozen=True)
class Piece:
    """One unit of an edit: hunk number `hunk` of `path`, or all of it (-1: added, deleted, binary, another mode)."""

    path: str
    hunk: int = -1


def sections(patch: bytes) -> list[tuple[Hunk, ...]]:
    """The hunks of each file of a patch in git's format, in its order; none for a file that is no text."""
    found: list[tuple[Hunk, ...]] = []
    lines, at = patch.split(b"\n"), 0
    while at < len(lines):
        head = _HUNK.match(lines[at])
        if lines[at].startswith(b"diff --git "):
            found.append(())
        elif head and found:
            hunk, at = _hunk(head, lines, at + 1)
            found[-1] = (*found[-1], hunk)
            continue
        at += 1
    return found


def _hunk(head: re.Match[bytes], lines: Sequence[bytes], at: int) -> tuple[Hunk, int]:
    """One hunk whose body begins at line `at`, and where it ends."""
    start, old = int(head[1]), int(head[2] or 1)
    left, new = old, int(head[4] or 1)
    body: list[bytes] = []
    while (left, new) != (0, 0) or lines[at][:1] == b"\\":
        sign, text = lines[at][:1], lines[at][1:] + b"\n"
        if sign == b"\\":
            if lines[at - 1][:1] != b"-":
                body[-1] = body[-1][:-1]
        else:
            left -= sign != b"+"
            new -= sign != b"-"
            body += [text] if sign != b"-" else []
        at += 1
    return Hunk(start - 1 if old else start, old, tuple(body)), at


def applied(old: bytes, hunks: Iterable[Hunk]) -> bytes:
    """The content with some of its hunks, which do not overlap."""
    lines = _lines(old)
    out: list[bytes] = []
    at = 0
    for hunk in sorted(hunks, key=lambda hunk: hunk.start):
        out += [*lines[at : hunk.start], *hunk.lines]
        at = hunk.start + hunk.length
    return b"".join([*out, *lines[at:]])


def _lines(text: bytes) -> list[bytes]:
    """Lines as git counts them: only a line feed ends one."""
    parts = text.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def by_file(pieces: Iterable[Piece]) -> list[tuple[Piece, ...]]:
    """The pieces of each file."""
    files: dict[str, list[Piece]] = {}
    for piece in pieces:
        files.setdefault(piece.path, []).append(piece)
    return [tuple(group) for group in files.values()]
