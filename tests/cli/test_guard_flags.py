"""Several guards are one shell text with the same verdict."""

from __future__ import annotations

import subprocess

from autoresearch.cli import guard_flags
from autoresearch.kernel.core import guards


def test_named_guards_are_one_shell_text_with_the_same_verdict():
    text = guard_flags.joined(["tests=true", "false || true", "types=X=1; test $X = 1"])
    assert text == ": tests && true && : guard-2 && (false || true) && : types && (X=1; test $X = 1)"
    assert [(part.name, part.command) for part in guards.parts(text)] == [
        ("tests", "true"), ("guard-2", "(false || true)"), ("types", "(X=1; test $X = 1)"),
    ]  # fmt: skip
    assert subprocess.run(["/bin/sh", "-c", text], check=False).returncode == 0
    broken = guard_flags.joined(["tests=true", "types=false"])
    assert subprocess.run(["/bin/sh", "-c", broken], check=False).returncode == 1


def test_one_plain_guard_stays_as_it_is():
    assert guard_flags.joined(["PYTHONPATH=. pytest -q && mypy ."]) == "PYTHONPATH=. pytest -q && mypy ."
