"""What a command may cost, in counts that no busy machine moves: calls of git, scans of the tree, imports, system
calls, bytes written, characters. The whole table: tests/benchmarks/costs.md."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import counts, growth
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
        ("resume_check", (), 1, 52),
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


def line_of(lab: Lab, command: str, *flags: str) -> list[str]:
    return [sys.executable, str(SCRIPTS / f"autoresearch_{command}.py"), "--repo", str(lab.path), *flags]


def seen(line: list[str], tmp_path: Path) -> counts.Counts:
    found = counts.traced(line, tmp_path / "trace")
    if found is None:
        raise pytest.skip.Exception("needs strace, which is not here or may not trace")
    return found


@pytest.mark.parametrize("script", ["run_trial", "runtime_ctl", "init_run", "supervisor_status"])
def test_a_start_makes_few_system_calls_and_imports_little(tmp_path: Path, script: str):
    line = [sys.executable, str(SCRIPTS / f"autoresearch_{script}.py"), "--help"]
    empty = seen([*counts.PASS], tmp_path)
    seen(line, tmp_path)  # which compiles
    assert 0 < seen(line, tmp_path).calls - empty.calls < 1_100
    assert 2 < counts.modules(line) < 16


def test_a_trial_writes_little_and_makes_few_system_calls(lab: Lab, tmp_path: Path):
    lab.init()
    empty = seen([*counts.PASS], tmp_path)
    lab.value(9.5)
    subprocess.run(line_of(lab, "run_trial", "--description", "x"), check=True, capture_output=True)  # which compiles
    for value, status in ((9, "keep"), (12, "discard")):
        lab.value(value)
        found = seen(line_of(lab, "run_trial", "--description", "x"), tmp_path)
        assert lab.rows()[-1].status == status
        assert 0 < found.written < 40_000
        assert found.calls - empty.calls < 40_000
        assert found.git.count("status") == 2 and len(found.git) <= 22


def test_what_a_row_costs_does_not_grow_with_the_log(tmp_path: Path):
    found = {}
    for rows in (10, 3_000):
        repo = growth.made(tmp_path, rows)
        line = growth.script("record_iteration", repo, *growth.COMMANDS["record_iteration"])
        found[rows] = seen(line, tmp_path)
    assert 0 < found[10].written < 4_000
    assert found[3_000].written < found[10].written + 2_000
    assert found[3_000].calls < found[10].calls + 200


def test_what_the_answers_of_a_run_have_an_agent_read(lab: Lab):
    lab.init()
    lab.trial(9)
    lab.trial(12)
    most = {"resume_check": 1_100, "supervisor_status": 700, "launch_gate": 800, "resume_prompt": 2_400}
    most |= {"commit_gate": 800, "health_check": 1_000}
    for command, characters in most.items():
        ran = lab.call(command)
        assert 0 < len(ran.out) <= characters, (command, len(ran.out))
    assert len(lab.record("refine", "--description", "x").out) <= 700


@pytest.mark.parametrize(
    ("command", "flags", "most"),
    [
        ("supervisor_status", (), 200),
        ("resume_check", (), 220),
        ("record_iteration", ("--status", "refine", "--description", "x"), 300),
        ("run_trial", ("--description", "x"), 3_000),
    ],
)
def test_python_itself_opens_and_starts_little(
    lab: Lab, tmp_path: Path, command: str, flags: tuple[str, ...], most: int
):
    """By an audit hook, for machines without strace: files opened, looked for and changed, programs started."""
    lab.init()
    lab.trial(9)
    lab.value(12)
    assert 20 < counts.audited(line_of(lab, command, *flags), tmp_path / "audit") <= most
