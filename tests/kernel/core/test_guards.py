"""Guards in parts: what is split, what stays whole, and that the joined text is plain shell."""

from __future__ import annotations

import pytest
from autoresearch.kernel.core import guards


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        ("a && b", ["a", "b"]),
        ("a 'x && y' && b \"c && d\"", ["a 'x && y'", 'b "c && d"']),
        ("(a && b) && c", ["(a && b)", "c"]),
        ("a >x 2>&1 && b &>y", ["a >x 2>&1", "b &>y"]),
        ("a | b && PYTHONPATH=. c", ["a | b", "PYTHONPATH=. c"]),
        ("a && b || c", ["a && b || c"]),
        ("cd x && a", ["cd x && a"]),
        ("X=1 && a", ["X=1 && a"]),
        ("a; b && c", ["a; b && c"]),
        ("a & b && c", ["a & b && c"]),
        ("a 'open && b", ["a 'open && b"]),
        ("a\\&\\& b", ["a\\&\\& b"]),
    ],
)
def test_parts(command: str, parts: list[str]):
    assert [part.command for part in guards.parts(command)] == parts
