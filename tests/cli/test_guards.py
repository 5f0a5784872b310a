"""Guards in parts: what is split, what stays whole, and that the joined text is plain shell."""

from __future__ import annotations

import subprocess

import pytest
from autoresearch.cli import guards


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


def test_named_guards_are_one_shell_text_with_the_same_verdict():
    text = guards.joined(["tests=true", "false || true", "types=X=1; test $X = 1"])
    assert text == ": tests && true && : guard-2 && (false || true) && : types && (X=1; test $X = 1)"
    assert [(part.name, part.command) for part in guards.parts(text)] == [
        ("tests", "true"), ("guard-2", "(false || true)"), ("types", "(X=1; test $X = 1)"),
    ]  # fmt: skip
    assert subprocess.run(["/bin/sh", "-c", text], check=False).returncode == 0
    broken = guards.joined(["tests=true", "types=false"])
    assert subprocess.run(["/bin/sh", "-c", broken], check=False).returncode == 1


def test_one_plain_guard_stays_as_it_is():
    assert guards.joined(["PYTHONPATH=. pytest -q && mypy ."]) == "PYTHONPATH=. pytest -q && mypy ."


@pytest.mark.parametrize(
    ("noted", "given", "expected"),
    [
        (["tests=pytest", "types=mypy"], ["tests=pytest -x"], ["tests=pytest -x", "types=mypy"]),
        (["tests=pytest", "types=mypy"], ["lint=ruff check"], ["tests=pytest", "types=mypy", "lint=ruff check"]),
        (["tests=pytest", "types=mypy"], ["pytest -x"], ["pytest -x"]),
        (["tests=pytest", "types=mypy"], [""], [""]),
        ("pytest", ["types=mypy"], ["pytest", "types=mypy"]),
        (None, ["types=mypy"], ["types=mypy"]),
        (["tests=pytest"], ["PYTHONPATH=src pytest"], ["PYTHONPATH=src pytest"]),
    ],
)
def test_a_named_guard_takes_the_place_of_its_name_alone(noted: object, given: list[str], expected: list[str]):
    assert guards.merged(noted, given) == expected
