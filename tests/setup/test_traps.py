"""Checks that trap their users: exit codes, and what a shell text hides."""

from __future__ import annotations

from pathlib import Path

import pytest
from autoresearch.kernel.core.settings import Config
from autoresearch.setup import traps
from hypothesis import given
from hypothesis import strategies as st


def warned(verify: str, direction: str, verify_exit: str, pattern: str = "") -> tuple[str, ...]:
    """The warnings on a check."""
    config = Config(verify=verify, direction=direction, verify_exit=verify_exit, metric_pattern=pattern)
    return traps.of_check(Path(), config)


@pytest.mark.parametrize(
    ("verify", "trap"),
    [
        ("grep -c any src/app.ts", "grep -c exits 1"),
        ("grep -rc any src", "grep -c exits 1"),
        ("rg --count any", "grep -c exits 1"),
        ("git grep -c any", "grep -c exits 1"),
        ("pytest -q", "pytest exits 1"),
        ("python -m pytest tests", "pytest exits 1"),
        ("npx tsc | grep error", "first command of the pipe"),
        ("cd src; grep -c any app.ts", "grep -c exits 1"),
        ("echo METRIC n=$(npx tsc | grep -c error)", "first command of the pipe"),
        ("mypy src | wc -l", "first command of the pipe"),
    ],
)
def test_traps_are_named_with_their_remedies(verify: str, trap: str):
    (found,) = warned(verify, "lower", "zero")
    assert found.startswith(trap) or f"the {trap}" in found
    assert ": " in found


@pytest.mark.parametrize(
    ("direction", "pattern", "number"), [("lower", r"(\d+) failed", 1), ("higher", r"(\d+) passed", 0)]
)
def test_a_number_that_vanishes_at_zero_is_warned_of(direction: str, pattern: str, number: int):
    assert len(warned("pytest -q", direction, "any", pattern)) == number


def test_a_pipe_into_a_count_fails_at_both_ends():
    unseen_zero, unseen_crash = warned("npx tsc | grep -c error", "lower", "zero")
    assert unseen_zero.startswith("grep -c exits 1") and unseen_crash.startswith("the first command of the pipe")


@pytest.mark.parametrize(
    ("verify", "direction", "verify_exit"),
    [
        ("grep -c any src || true", "lower", "zero"),
        ("grep -c any src", "lower", "any"),
        ("grep -c any src", "higher", "zero"),
        ("grep any src", "lower", "zero"),
        ("pytest -q || true", "lower", "zero"),
        ("pytest -q", "lower", "any"),
        ("set -o pipefail; mypy src | wc -l", "lower", "zero"),
        ("grep -c 'a|b' src || true", "lower", "zero"),
        ("python3 check.py", "lower", "zero"),
        ('out=$(mypy src); test $? -le 1 && echo METRIC n=$(echo "$out" | grep -c error)', "lower", "zero"),
    ],
)
def test_sound_checks_are_not_warned_of(verify: str, direction: str, verify_exit: str):
    assert warned(verify, direction, verify_exit) == ()


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(command: str):
    warned(command, "lower", "zero")


@pytest.mark.parametrize(
    ("verify", "build"),
    [
        ("make -s prog && ./prog", "make"),
        ("cargo run --release", "cargo run"),
        ("cd app && npm run build && node dist/x.js", "npm run build"),
        ("gcc -O2 a.c -o a && ./a", "gcc"),
        ("go test -bench .", "go test"),
        ("python3 make.py", ""),
        ("./bench", ""),
    ],
)
def test_a_build_within_the_check_is_told_of(verify: str, build: str):
    told = [text for text in warned(verify, "lower", "zero") if "--prepare" in text]
    assert [text.partition(" may build")[0] for text in told] == ([build] if build else [])


def test_scripts_that_the_check_runs_are_read_too(tmp_path: Path):
    (tmp_path / "check.sh").write_text("#!/bin/bash\nfor i in {1..3}; do ./bench; done\ncat out.json\n")
    told = " ".join(traps.of_check(tmp_path, Config(verify="sh check.sh")))
    assert "check.sh: bench may fail unseen" in told and ("{1..3}" in told) != traps.sh_is_bash()
    assert "{1..3}" not in " ".join(traps.of_check(tmp_path, Config(verify="./check.sh")))
    (tmp_path / "check.sh").write_text("#!/bin/sh -e\n./bench > out.json\ncat out.json\n")
    assert traps.of_check(tmp_path, Config(verify="./check.sh")) == ()
