"""kill -9 of each step of a side line, after each call of git: the next command goes on, and the end is the same."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import SCRIPTS
from tests.faults.killer import Killer
from tests.lab import Lab
from tests.lines.test_side_lines import begun, put, stall, stalled, values

__all__ = ["stalled"]  # the fixture


def three_pivots(lab: Lab) -> None:
    """The opening is due."""
    lab.recorded("pivot", "--description", "z")


def grown(value: int) -> Callable[[Lab], None]:
    """The comparison is due: of a better tip, of one as good, of none."""

    def grow(lab: Lab) -> None:
        begun(lab)
        if value:
            put(lab, "a", value, "keep")
        stall(lab)

    return grow


def line(lab: Lab, env: dict[str, str]) -> int:
    """Take the steps that are due in a process that may be killed; the exit code."""
    command = [sys.executable, str(SCRIPTS / "autoresearch_line.py"), "--repo", str(lab.path)]
    null, full = subprocess.DEVNULL, {**os.environ, **env}
    return subprocess.Popen(command, env=full, stdin=null, stdout=null, stderr=null, start_new_session=True).wait()


def facts(lab: Lab) -> tuple[object, ...]:
    """What the run is afterwards: content, number, rows and line."""
    state = lab.log().state
    rows = [(row.iteration, row.status, row.description, row.metric) for row in lab.rows()]
    return values(lab), state.current_metric, state.line, state.pivot_count, rows


@pytest.mark.parametrize(
    ("prepare", "step"),
    [(three_pivots, 9), (grown(3), 7), (grown(9), 13), (grown(0), 11)],
    ids="open adopt try leave".split(),
)
def test_killed_after_calls_of_git(stalled: Lab, tmp_path: Path, prepare: Callable[[Lab], None], step: int):
    """EVERY_CALL=1 tries all."""
    prepare(stalled)
    killer, saved = Killer(tmp_path / "faults"), tmp_path / "saved"
    subprocess.run(["cp", "-a", str(stalled.path), str(saved)], check=True)
    assert line(stalled, killer.env(0, "never")) == 0
    total, expected = int(killer.count.read_text()), facts(stalled)
    for at in range(2, total + 1, 1 if os.environ.get("EVERY_CALL") else step):
        subprocess.run(["rm", "-rf", str(stalled.path)], check=True)
        subprocess.run(["cp", "-a", str(saved), str(stalled.path)], check=True)
        assert line(stalled, killer.env(at, "after")) in (0, -9), at
        ran = stalled.call("line")
        assert ran.code == 0 or "no step of a side line is due" in ran.err, (at, ran.err)
        assert facts(stalled) == expected, at
        assert stalled.repo.status() == ""
        stalled.sound()
