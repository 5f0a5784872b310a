"""Checks in containers of a real podman, from an image that is made of this machine's own programs; skipped where it
cannot be had, and saying so. Nothing is fetched, and everything lies in one folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import HANG, SCRIPTS, Ran, Repo

Run = Callable[..., Ran]
PROGRAMS = ("sh", "cat", "sleep", "hostname")
# A mount namespace of its own: some runtimes refuse hosts that have both kinds of cgroups.
PODMAN = """#!/bin/sh
exec unshare -m sh -c 'umount -R -l /sys/fs/cgroup; mount -t tmpfs none /sys/fs/cgroup
exec podman --root {0}/root --runroot {0}/run --storage-driver vfs "$@"' podman "$@"
"""
TEMPLATE = (
    "{} run --rm --network none --cgroups=disabled --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 "
    "-v {{worktree}}:/w -w /w own:1 {{command}}"
)


def missing() -> str:
    """What lacks for a container here, "" for nothing."""
    lacking = [name for name in ("podman", "unshare", "ldd") if not shutil.which(name)]
    return "needs root" if os.geteuid() else f"not installed: {', '.join(lacking)}" if lacking else ""


pytestmark = pytest.mark.skipif(bool(missing()), reason=f"no podman: {missing()}")


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The program, with an image `own:1`."""
    folder = tmp_path_factory.mktemp("podman")
    program, image = folder / "podman", folder / "image"
    program.write_text(PODMAN.format(folder))
    program.chmod(0o755)
    for name in PROGRAMS:
        _put(Path(str(shutil.which(name))), image / "bin" / name, image)
    subprocess.run(["tar", "-C", str(image), "-cf", str(folder / "image.tar"), "."], check=True)
    made = subprocess.run([program, "import", folder / "image.tar", "own:1"], capture_output=True, text=True)
    tried = subprocess.run(
        TEMPLATE.format(program).format(worktree=folder, command="/bin/cat /proc/1/comm").split(" "),
        capture_output=True,
        text=True,
    )
    if made.returncode or tried.returncode:
        pytest.skip(f"podman runs nothing here: {made.stderr}{tried.stderr}")
    yield program


def _put(source: Path, target: Path, image: Path) -> None:
    """A program and the libraries that it needs."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    said = subprocess.run(["ldd", source], capture_output=True, text=True, check=True).stdout
    for word in said.split():
        if word.startswith("/"):
            (image / word[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(word, image / word[1:])


def begin(run_script: Run, repo: Repo, podman: Path, check: str) -> None:
    """A run from 10 that is measured in containers."""
    repo.write("n", "10\n")
    repo.commit("ten")
    wish = (
        "--goal",
        "less",
        "--scope",
        "n",
        "--metric-name",
        "n",
        "--direction",
        "lower",
        "--parallel-mode",
        "parallel",
    )
    ran = run_script("init_run", "--repo", repo.path, *wish, "--verify", check, "--executor", TEMPLATE.format(podman))
    assert ran.code == 0, ran.err


def test_a_trial_and_a_batch_are_measured_in_containers(repo: Repo, run_script: Run, podman: Path) -> None:
    begin(run_script, repo, podman, "test $PWD = /w && ! test -e /usr/bin && cat n")
    repo.write("n", "9\n")
    assert run_script("run_trial", "--repo", repo.path, "--description", "nine").json["metric"] == 9
    opened = run_script("run_batch", "open", "--repo", repo.path, "--workers", 2, "--oversubscribe").json
    for worker, number in zip(opened["workers"], (8, 7)):
        (Path(worker["path"]) / "n").write_text(f"{number}\n")
    answer = run_script("run_batch", "close", "--repo", repo.path).json
    assert (answer["selected_worker"], answer["retained_metric"]) == ("b", 7), answer


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL])
def test_a_stop_ends_the_container(repo: Repo, run_script: Run, podman: Path, sig: signal.Signals) -> None:
    word = f"7{os.getpid()}{time.time_ns() % 1000}"
    repo.write(".gitignore", "free\n")
    begin(run_script, repo, podman, f"read v < n; test $v = 10 || test -e free || sleep {word}; cat n")
    repo.write("n", "9\n")

    def asleep() -> bool:
        return subprocess.run(["pgrep", "-xf", f"sleep {word}"], stdout=-3, check=False).returncode == 0

    trial = [sys.executable, str(SCRIPTS / "autoresearch_run_trial.py"), "--repo", str(repo.path), "--description", "x"]
    with subprocess.Popen(trial, stdout=-1, stderr=-1, start_new_session=True) as child:
        until = time.monotonic() + HANG
        while not asleep():
            assert time.monotonic() < until
            time.sleep(0.05)
        repo.write("free", "")
        os.kill(child.pid, sig)
        child.communicate(timeout=HANG)
    assert run_script("run_trial", "--repo", repo.path, "--description", "nine").json["status"] == "keep"
    assert not asleep()
