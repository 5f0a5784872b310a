"""What a patch in git's format does to lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator


def only_deletes(patch: bytes) -> bool:
    """Whether a complete patch takes text lines away and adds none; binary changes count as added."""
    signs = list(_signs(patch))
    return b"-" in signs and b"+" not in signs


def lines(patch: bytes) -> int:
    """How many lines a complete patch takes away and adds."""
    return sum(sign in (b"+", b"-") for sign in _signs(patch))


def _signs(patch: bytes) -> Iterator[bytes]:
    """The first character of each changed line; `+` for what cannot be read as lines."""
    inside = False
    for line in patch.split(b"\n"):
        if line.startswith(b"diff --git "):  # no line of a hunk begins so, since each has its sign first
            inside = False
        elif line.startswith(b"@@ "):
            inside = True
        elif line.startswith((b"GIT binary patch", b"[patch cut")):
            yield b"+"
        elif inside:
            yield line[:1]
