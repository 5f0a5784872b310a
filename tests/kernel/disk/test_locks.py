"""Locks: held by one, seen by all, ended with their process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from autoresearch.kernel.core.errors import Refusal
from autoresearch.kernel.disk import locks

HOLD = """
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from autoresearch.kernel.disk import locks
with locks.held(Path(sys.argv[2]), "busy"):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    scripts = str(Path(locks.__file__).parents[3])
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, scripts, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def test_a_lock_is_refused_while_held_and_free_once_its_holder_is_killed(tmp_path: Path):
    path = tmp_path / "deep" / "trial.lock"
    assert not locks.is_held(path)
    with holder(path) as child:
        assert locks.is_held(path)
        with pytest.raises(Refusal, match=r"^busy, wait$"), locks.held(path, "busy, wait"):
            pass
        child.kill()
    assert not locks.is_held(path)
    with locks.held(path, "busy"):
        assert locks.is_held(path)
    assert not locks.is_held(path)


def test_a_lock_file_that_was_replaced_is_another_lock(tmp_path: Path):
    path = tmp_path / "trial.lock"
    old = locks.open_locked(path, os.O_RDWR | os.O_CREAT)
    path.rename(tmp_path / "away")
    new = locks.open_locked(path, os.O_RDWR | os.O_CREAT, wait=False)
    assert os.fstat(old).st_ino != os.fstat(new).st_ino
    os.close(old)
    os.close(new)


def test_a_descriptor_is_not_inherited_and_not_leaked(tmp_path: Path):
    path = tmp_path / "trial.lock"
    handle = locks.open_locked(path, os.O_RDWR | os.O_CREAT)
    assert not os.get_inheritable(handle)
    with pytest.raises(BlockingIOError):
        locks.open_locked(path, os.O_RDWR, wait=False)
    lowest = os.open(path, os.O_RDONLY)
    assert lowest == handle + 1
    os.close(lowest)
    os.close(handle)


def test_a_place_that_takes_no_lock_file_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(Refusal, match="cannot write"), locks.held(tmp_path / "file" / "trial.lock", "busy"):
        pass


def test_who_only_looks_is_not_taken_for_a_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "trial.lock"
    looking = locks.open_locked(path, os.O_RDWR | os.O_CREAT)
    monkeypatch.setattr("autoresearch.kernel.disk.locks.time.sleep", lambda seconds: os.close(looking))
    with locks.held(path, "busy"):
        assert locks.is_held(path)
    assert not locks.is_held(path)
