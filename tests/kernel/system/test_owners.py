"""Whose a temporary file is: that of a process that lives stays, also where another table of processes is in force."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from autoresearch.kernel.run import tempfolder
from autoresearch.kernel.system import gitfiles, owners

from tests.conftest import SCRIPTS

SWEEP = f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); from autoresearch.kernel.run import tempfolder; "


def test_what_a_living_process_made_stays_and_that_of_a_killed_one_goes(tmp_path: Path):
    own, _, table = owners.mine().partition("n")
    assert own == str(os.getpid())
    assert not owners.gone(owners.mine(), tmp_path) and not owners.gone(own, tmp_path)
    assert owners.gone(f"4194305n{table}", tmp_path) and owners.gone("4194305", tmp_path)
    assert not owners.gone("x", tmp_path) and not owners.gone("1n2n3", tmp_path)


def test_what_a_process_of_another_table_made_is_left_for_a_day(tmp_path: Path):
    assert not owners.gone("4194305n7", tmp_path)
    os.utime(tmp_path, (1, 1))
    assert owners.gone("4194305n7", tmp_path)
    assert not owners.gone("4194305n7", tmp_path / "absent")


@pytest.mark.skipif(not shutil.which("unshare") or os.getuid() != 0, reason="unshare needs root and Linux")
def test_a_sandbox_leaves_the_folders_of_commands_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    inside = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", SWEEP + "tempfolder.sweep()"]
    with tempfolder.folder("check") as folder, gitfiles.scratch(tmp_path, "objects") as objects:
        ran = subprocess.run(inside, check=False, capture_output=True, text=True)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert folder.is_dir() and objects.is_dir()
    assert not folder.exists() and not objects.exists()
