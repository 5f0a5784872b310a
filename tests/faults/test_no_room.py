"""A full disk, a read-only repository: one line that says so, and nothing lost."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SCRIPTS, Ran, Repo
from tests.lab import Lab, refused, stray, tree_of

LOG = "research-results.tsv"
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")


def limited(lab: Lab, size: int, name: str, *flags: object) -> Ran:
    """Run a script that may write no file beyond `size` bytes, as on a disk that is full."""

    def lower() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    command = [sys.executable, str(SCRIPTS / f"autoresearch_{name}.py"), "--repo", str(lab.path), *map(str, flags)]
    # What Python compiles anew would be cut as well, and other tests read it.
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=lower, env=env, check=False)
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("size", [0, 100, "one byte"])
def test_a_row_that_does_not_fit_is_refused_and_the_log_is_whole(lab: Lab, size: object):
    lab.report()
    path = lab.path / LOG
    before = tree_of(lab.path)
    room = path.stat().st_size + 1 if size == "one byte" else size
    ran = limited(lab, int(str(room)), "record_iteration", "--status", "no-op")
    refused(ran, f"cannot write {path}", "File too large")
    assert tree_of(lab.path) == before
    assert lab.recorded("no-op")["iteration"] == 1
    lab.sound()


def test_a_row_that_fits_is_no_refusal_when_the_snapshot_does_not(lab: Lab):
    lab.report("--environment-summary", "x" * 200)
    state = lab.path / "autoresearch-state.json"
    old = state.read_bytes()
    room = (lab.path / LOG).stat().st_size + 200
    assert room < len(old), "the snapshot is the larger of the two"
    ran = limited(lab, room, "record_iteration", "--status", "no-op")
    assert (ran.code, ran.json["iteration"]) == (0, 1)
    assert state.read_bytes() == old
    assert stray(lab.path) == []
    assert lab.recorded("no-op")["iteration"] == 2
    lab.sound()


def test_a_trial_without_room_leaves_the_edit(lab: Lab):
    lab.init()
    lab.value(9)
    before = lab.repo.read(LOG)
    refused(limited(lab, 10, "run_trial", "--description", "x"), "cannot write", "ulimit -f")
    assert (lab.repo.read("src/value"), lab.repo.status(), lab.repo.read(LOG)) == ("9\n", " M src/value", before)
    assert stray(lab.path) == []
    assert lab.trial()["status"] == "keep"


@pytest.fixture
def mounted(tmp_path: Path):
    """Return a function that mounts, and take the mounts away again."""
    places: list[Path] = []

    def mount(place: Path, *flags: str) -> None:
        done = subprocess.run(["mount", *flags, str(place)], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"needs to mount, which is refused here: {done.stderr.strip()}")
        if place not in places:
            places.append(place)

    yield mount
    for place in reversed(places):
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@ROOT_ONLY
def test_a_full_disk(tmp_path: Path, mounted, run_script):
    place = tmp_path / "small"
    place.mkdir()
    mounted(place, "-t", "tmpfs", "-o", "size=2m", "tmpfs")
    repo = Repo(place)
    repo.git("init", "--quiet")
    repo.write("src/value", "10\n")
    repo.commit("start")
    lab = Lab(repo, run_script)
    lab.report()
    with open(place / "filler", "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
    done = 0
    while True:
        ran = lab.record("no-op", "--description", "words " * 100)
        if ran.code:
            break
        done += 1
    refused(ran, "No space left on device", "free disk space and repeat the command")
    assert [row.iteration for row in lab.rows()] == list(range(done + 1))
    assert stray(place) == []
    (place / "filler").unlink()
    assert lab.recorded("no-op")["iteration"] == done + 1
    lab.sound()


@ROOT_ONLY
def test_a_read_only_git_folder_is_named_as_a_sandbox(lab: Lab, mounted):
    lab.init()
    lab.value(9)
    git = lab.path / ".git"
    mounted(git, "--bind", str(git))
    mounted(git, "-o", "remount,bind,ro")
    before = lab.repo.read(LOG)
    refused(lab.try_out(), "read-only", f"--add-dir {git}", "the edit stays")
    assert (lab.repo.read("src/value"), lab.repo.read(LOG)) == ("9\n", before)
    assert stray(lab.path) == []
    assert lab.recorded("refine", "--description", "x")["iteration"] == 1
    subprocess.run(["mount", "-o", "remount,bind,rw", str(git)], check=True)
    assert lab.trial()["status"] == "keep"


@ROOT_ONLY
def test_a_read_only_git_folder_is_told_before_the_run_starts(lab: Lab, mounted):
    git = lab.path / ".git"
    assert not any("cannot be written" in line for line in lab.init("--dry-run")["warnings"])
    mounted(git, "--bind", str(git))
    mounted(git, "-o", "remount,bind,ro")
    answer = lab.init("--dry-run")
    warned = answer["warnings"][0]
    assert f"--add-dir {git}" in warned and "every trial will be refused" in warned
    assert not answer["startable"] and answer["next"].startswith("not yet")
