"""What a command may cost, in counts that no busy machine moves: calls of git, scans of the tree, imports."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SCRIPTS
from tests.lab import Lab

COUNTER = '#!/bin/sh\nfor word; do case "$word" in status|ls-files|diff-tree) break;; esac; done\n'
COUNTER += 'echo "$word" >> "$CALLS_OF_GIT"\nexec {git} "$@"\n'


@pytest.fixture
def calls(lab: Lab, tmp_path: Path) -> Path:
    """A file with a line for each call of git from now on."""
    program = tmp_path / "bin/git"
    program.parent.mkdir()
    program.write_text(COUNTER.format(git=shutil.which("git")))
    program.chmod(0o755)
    found = tmp_path / "calls"
    lab.env |= {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}", "CALLS_OF_GIT": str(found)}
    return found


def counted(calls: Path) -> list[str]:
    """The calls so far, which are forgotten."""
    found = calls.read_text().split("\n")[:-1] if calls.exists() else []
    calls.unlink(missing_ok=True)
    return found


def test_a_trial_scans_the_tree_twice(lab: Lab, calls: Path):
    lab.init()
    counted(calls)
    for value, most in ((9, 12), (12, 20)):
        lab.trial(value)
        found = counted(calls)
        assert found.count("status") == 2
        assert len(found) <= most, found


@pytest.mark.parametrize(
    ("command", "flags", "most", "modules"),
    [
        ("resume_check", (), 1, 50),
        ("supervisor_status", (), 1, 50),
        ("record_iteration", ("--status", "refine", "--description", "x"), 0, 60),
    ],
)
def test_a_question_calls_git_once_and_imports_little(
    lab: Lab, calls: Path, command: str, flags: tuple[str, ...], most: int, modules: int
):
    lab.init()
    lab.trial(9)
    counted(calls)
    line = [sys.executable, "-X", "importtime", str(SCRIPTS / f"autoresearch_{command}.py"), "--repo", str(lab.path)]
    env = {**os.environ, **{name: value for name, value in lab.env.items() if value is not None}}
    ran = subprocess.run([*line, *flags], env=env, capture_output=True, text=True, check=True)
    ours = [line for line in ran.stderr.split("\n") if " autoresearch" in line]
    assert 10 < len(ours) <= modules, len(ours)
    assert len(counted(calls)) <= most
