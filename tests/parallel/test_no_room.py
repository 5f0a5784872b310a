"""A disk that gets full in the middle of a batch: one line that says so, nothing is lost, and the next command works.

`tests/benchmarks/batches.py full` does so at random instants.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Ran, Repo
from tests.parallel.test_batch import assert_gone, call, opened, rows, start

Run = Callable[..., Ran]
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
# Where the sign for this folder is there, a run of the check leaves no room; the run's own tree is `repo`.
FILLS = "case $PWD in */{}) ! test -e ../fill || dd if=/dev/zero of=../filler bs=64k 2> /dev/null;; esac; cat n"


@pytest.fixture
def small(tmp_path: Path, run_script: Run) -> Iterator[Repo]:
    """A repository on a file system of its own."""
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600m", "tmpfs", str(place)], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"needs to mount, which is refused here: {done.stderr.strip()}")
    try:
        (place / "repo").mkdir()
        repo = Repo(place / "repo")
        repo.git("init", "--quiet")
        for name, text in {"n": "10\n", "ok": "yes\n", "note": "\n"}.items():
            repo.write(name, text)
        repo.commit("ten")
        yield repo
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(repo: Repo) -> None:
    """No room is left beside the repository."""
    with open(repo.path.parent / "filler", "wb", buffering=0) as file:
        room = os.statvfs(repo.path)
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize)


def free(repo: Repo) -> None:
    """There is room again, and no check takes it."""
    for name in ("filler", "fill"):
        (repo.path.parent / name).unlink(missing_ok=True)


def told(ran: Ran) -> None:
    """It says in one line what lacks."""
    assert ran.code == 1 and ran.err.count("\n") == 1 and "Traceback" not in ran.err, ran
    assert "space" in ran.err or "disk" in ran.err, ran.err


def closes(repo: Repo) -> None:
    """The batch is closed as if nothing had been."""
    free(repo)
    answer = call(repo, "close")
    assert answer.code == 0, answer.err
    assert (answer.json["selected_worker"], answer.json["retained_metric"]) == ("b", 7)
    assert [row[0] for row in rows(repo)] == ["0", "1a", "1b", "1c", "1"]
    assert repo.read("n") == "7\n"
    assert_gone(repo)


def edits(repo: Repo) -> list[Repo]:
    """An open batch with an edit in each folder."""
    workers = opened(repo)
    for worker, number in zip(workers, (8, 7, 9)):
        worker.write("n", f"{number}\n")
    return workers


def test_a_batch_that_cannot_be_opened_leaves_nothing(small: Repo, run_script: Run) -> None:
    start(run_script, small)
    fill(small)
    told(call(small, "open", "--workers", "3"))
    free(small)
    assert_gone(small)
    edits(small)
    closes(small)


def test_worktrees_that_the_check_fills_are_taken_back(small: Repo, run_script: Run) -> None:
    start(run_script, small, "--verify", FILLS.format("*-autoresearch-*"))
    (small.path.parent / "fill").touch()
    ran = call(small, "open", "--workers", "3")  # what shows that the check sees the folders fills the disk
    free(small)
    assert ran.code == 1, ran
    assert_gone(small)
    edits(small)
    closes(small)


def test_edits_that_cannot_be_committed_wait(small: Repo, run_script: Run) -> None:
    start(run_script, small)
    workers = edits(small)
    fill(small)
    told(call(small, "close"))
    assert [worker.read("n") for worker in workers] == ["8\n", "7\n", "9\n"] and len(rows(small)) == 1
    closes(small)


@pytest.mark.parametrize("where", ["*-a", "*-b", "repo"])
def test_a_disk_that_gets_full_while_it_is_measured(small: Repo, run_script: Run, where: str) -> None:
    start(run_script, small, "--verify", FILLS.format(where))
    edits(small)
    (small.path.parent / "fill").touch()
    told(call(small, "close"))
    assert len(rows(small)) == 1
    closes(small)


def test_a_batch_is_aborted_on_a_full_disk(small: Repo, run_script: Run) -> None:
    start(run_script, small)
    edits(small)
    fill(small)
    ran = call(small, "abort")
    free(small)
    if ran.code:
        assert call(small, "abort").code == 0
    assert_gone(small)
    assert len(rows(small)) == 1 and small.read("n") == "10\n"
