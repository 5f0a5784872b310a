"""Reading source files."""

from __future__ import annotations


def read_lines(path: str) -> list[str]:
    """The lines of a source file, without their line ends."""
    lines = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            lines.append(line.rstrip("\n"))
    return lines
