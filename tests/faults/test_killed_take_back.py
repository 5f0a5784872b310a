"""kill -9 of take-back, and of its git, at every call: the same command repeated takes the experiment back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SCRIPTS
from tests.faults.killer import Killer
from tests.lab import Lab


def project(lab: Lab) -> None:
    """A run with two kept experiments, of which the second changes, adds and deletes; the user's changes beside it."""
    lab.repo.write("src/old", "old\n")
    lab.repo.write("notes.txt", "a\n")
    lab.repo.commit("files")
    lab.repo.write("notes.txt", "mine\n")
    lab.init()
    lab.trial(9)
    lab.repo.write("src/deep/new", "x\n")
    (lab.path / "src/old").unlink()
    lab.trial(8)


def take_back(lab: Lab, env: dict[str, str]) -> int:
    """The exit code of a take-back in a process of its own."""
    command = [sys.executable, str(SCRIPTS / "autoresearch_runtime_ctl.py"), "take-back", "--repo", str(lab.path), "2"]
    quiet = subprocess.DEVNULL
    ran = subprocess.run(
        [*command, "--why", "api"], env={**os.environ, **env}, stdout=quiet, stderr=quiet, stdin=quiet, check=False
    )
    return ran.returncode


def taken_back(lab: Lab) -> None:
    """Repeated, or done before the kill: the second experiment is gone, once, and all else is as it was."""
    ran = lab.run_script("runtime_ctl", "take-back", "--repo", lab.path, 2, "--why", "api")
    assert ran.code == 0 or "taken back already" in ran.err, ran.err
    assert [row.status for row in lab.rows()] == ["baseline", "keep", "keep", "drift"]
    assert lab.rows()[-1].metric == 9 and len(lab.events("taken_back")) == 1
    assert (lab.repo.read("src/value"), lab.repo.read("src/old")) == ("9\n", "old\n")
    assert not (lab.path / "src/deep").exists()
    assert lab.repo.status() == " M notes.txt" and lab.repo.read("notes.txt") == "mine\n"
    assert lab.repo.git("rev-parse", "HEAD") == lab.events("heads")[-1]["heads"][str(lab.path)]
    assert lab.trial(7)["status"] == "keep"


@pytest.mark.parametrize("when", ["after", "dead", "dying"])
def test_killed_at_each_call_of_git(lab: Lab, tmp_path: Path, when: str):
    """EVERY_CALL=1 tries all, else every fifth."""
    killer = Killer(tmp_path / "faults")
    project(lab)
    saved = lab.path.parent / "saved"
    subprocess.run(["cp", "-a", str(lab.path), str(saved)], check=True)
    assert take_back(lab, killer.env(0, "never")) == 0
    total = int(killer.count.read_text())
    assert total > 8
    step = 1 if os.environ.get("EVERY_CALL") else 5
    for at in range(1 + len(when) % step, total + 1, step):
        subprocess.run(["rm", "-rf", str(lab.path)], check=True)
        subprocess.run(["cp", "-a", str(saved), str(lab.path)], check=True)
        code = take_back(lab, killer.env(at, when))
        assert code == -signal.SIGKILL if when == "after" else code in (0, 1), (at, code)
        taken_back(lab)
