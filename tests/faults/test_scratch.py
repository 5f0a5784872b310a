"""What a killed check, profiler or first look leaves in a temporary folder inside the repository."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SCRIPTS
from tests.lab import Lab

# Kills the command: the shell that it started us by lies between.
KILLED = """import os, signal, subprocess
shell = subprocess.check_output(["ps", "-o", "ppid=", "-p", str(os.getppid())])
os.kill(int(shell), signal.SIGKILL)
os._exit(1)
"""


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(("autoresearch-scratch-", "tmp"))]


@pytest.fixture
def place(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder, in the repository."""
    made = lab.path / "tmp"
    made.mkdir()
    lab.env["TMPDIR"] = str(made)
    monkeypatch.setenv("TMPDIR", str(made))
    return made


def killed(lab: Lab, name: str, *flags: str) -> None:
    line = [sys.executable, str(SCRIPTS / f"autoresearch_{name}.py"), *flags]
    assert subprocess.run(line, cwd=lab.path, capture_output=True, check=False).returncode == -signal.SIGKILL


def test_of_a_check(lab: Lab, place: Path):
    lab.repo.write("test_it.py", KILLED)
    lab.repo.commit("test")
    lab.init()
    killed(lab, "check", "pytest", "--python", sys.executable)
    named_then_gone(lab, place)


def test_of_a_profiler(lab: Lab, place: Path):
    lab.repo.write("work.py", KILLED)
    lab.repo.commit("work")
    lab.init()
    killed(lab, "profile", f"{sys.executable} work.py")
    named_then_gone(lab, place)


def named_then_gone(lab: Lab, place: Path) -> None:
    (name,) = left(place)
    assert name in lab.call("doctor").out
    assert lab.trial(9)["status"] == "keep"
    assert left(place) == []
    assert lab.repo.status() == ""
