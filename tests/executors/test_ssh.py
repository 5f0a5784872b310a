"""Checks on the far side of a real `sshd` on loopback (`ssh_here.py`); skipped, and saying so, where there is none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import HANG, SCRIPTS, Ran, Repo
from tests.executors.ssh_here import Sshd, missing

Run = Callable[..., Ran]
pytestmark = pytest.mark.skipif(bool(missing()), reason=f"no sshd: {missing()}")
SHARED, BUNDLE = "{ssh} box cd {{worktree}} && {{command}}", "{ssh} box {{far}}"
WAYS = pytest.mark.parametrize(
    "way", [SHARED, BUNDLE, SHARED.replace(" box", " -tt box")], ids=["shared", "far", "tty"]
)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A machine that is reached by ssh."""
    with Sshd(tmp_path_factory.mktemp("ssh") / "s") as running:
        yield running


def begin(run_script: Run, repo: Repo, executor: str, check: str, *flags: str) -> None:
    """A run from 10 that is measured over there."""
    repo.write("n", "10\n")
    repo.commit("ten")
    wish = ("--goal", "less", "--scope", "n", "--metric-name", "n", "--direction", "lower")
    ran = run_script("init_run", "--repo", repo.path, *wish, "--verify", check, "--executor", executor, *flags)
    assert ran.code == 0, ran.err


def places(box: Sshd) -> set[str]:
    """Where the check ran, as seen over there."""
    path = box.home / "places"
    found = set(path.read_text().split())
    path.unlink()
    return found


def kept(box: Sshd) -> list[Path]:
    """What is left of bundles over there."""
    return list((box.home / ".cache" / "autoresearch").glob("*/*"))


@WAYS
def test_trials_and_batches_are_measured_over_there(repo: Repo, run_script: Run, box: Sshd, way: str) -> None:
    begin(run_script, repo, way.format(ssh=box.client), "pwd >> $HOME/places; cat n", "--parallel-mode", "parallel")
    repo.write("n", "9\n")
    answer = run_script("run_trial", "--repo", repo.path, "--description", "nine").json
    assert (answer["status"], answer["metric"]) == ("keep", 9)
    opened = run_script("run_batch", "open", "--repo", repo.path, "--workers", 2, "--oversubscribe").json
    for worker, number in zip(opened["workers"], (7, 8)):
        (Path(worker["path"]) / "n").write_text(f"{number}\n")
    answer = run_script("run_batch", "close", "--repo", repo.path).json
    assert (answer["selected_worker"], answer["retained_metric"]) == ("a", 7), answer
    own = {str(repo.path), *(worker["path"] for worker in opened["workers"])}
    assert all(place.startswith(str(box.home)) for place in places(box)) if way == BUNDLE else own == places(box)
    assert kept(box) == []


def test_pairs_of_a_noisy_number_travel_as_bundles(repo: Repo, run_script: Run, box: Sshd) -> None:
    begin(run_script, repo, BUNDLE.format(ssh=box.client), "echo $(cat n).$(date +%N | cut -c4-6)")
    repo.write("n", "5\n")
    assert run_script("run_trial", "--repo", repo.path, "--description", "five").json["status"] == "keep"
    assert kept(box) == []


def asleep(word: str) -> list[int]:
    """Processes with this word in their command line that sleep for it."""
    found = subprocess.run(["pgrep", "-xf", f"sleep {word}"], capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def until(there: Callable[[], object]) -> None:
    """Wait for it."""
    end = time.monotonic() + HANG
    while not there():
        assert time.monotonic() < end
        time.sleep(0.05)


@WAYS
@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL])
def test_a_stop_ends_what_runs_over_there(
    repo: Repo, run_script: Run, box: Sshd, way: str, sig: signal.Signals
) -> None:
    word = f"9{os.getpid()}{time.time_ns() % 1000}"
    check = f"test $(cat n) = 10 || test -e $HOME/free || sleep {word}; cat n"
    (box.home / "free").unlink(missing_ok=True)
    begin(run_script, repo, way.format(ssh=box.client), check)
    repo.write("n", "9\n")
    trial = [sys.executable, str(SCRIPTS / "autoresearch_run_trial.py"), "--repo", str(repo.path), "--description", "x"]
    with subprocess.Popen(trial, stdout=-1, stderr=-1, start_new_session=True) as child:
        until(lambda: asleep(word))
        (box.home / "free").touch()
        os.kill(child.pid, sig)
        child.communicate(timeout=HANG)
    if sig == signal.SIGKILL:
        assert asleep(word)  # its client lives on until the next command
    ran = run_script("run_trial", "--repo", repo.path, "--description", "nine")
    assert ran.code == 0 and ran.json["status"] == "keep", ran
    until(lambda: not asleep(word) and not kept(box))


@WAYS
def test_a_check_over_its_limit_ends_over_there_too(repo: Repo, run_script: Run, box: Sshd, way: str) -> None:
    word = f"8{os.getpid()}{time.time_ns() % 1000}"
    check = f"test $(cat n) = 10 || sleep {word}; cat n"
    begin(run_script, repo, way.format(ssh=box.client), check, "--verify-timeout", "3")
    repo.write("n", "9\n")
    answer = run_script("run_trial", "--repo", repo.path, "--description", "nine").json
    assert answer["status"] == "crash" and "took longer than 3 s" in answer["decision"], answer
    until(lambda: not asleep(word) and not kept(box))


def test_the_exit_code_and_errors_come_back(repo: Repo, run_script: Run, box: Sshd) -> None:
    begin(run_script, repo, SHARED.format(ssh=box.client), "test $(cat n) = 10 || { echo no luck >&2; exit 7; }; cat n")
    repo.write("n", "9\n")
    answer = run_script("run_trial", "--repo", repo.path, "--description", "nine").json
    assert answer["status"] == "crash" and "exit code 7: no luck" in answer["decision"], answer
