"""Checks as steps of a Slurm job (`man salloc`, `man srun`; tested with 22.05).

A process that measures has one job on one node from its first check to its end: candidate and retained code of a noisy
metric are steps of that job. The worktree lies on a file system that the nodes share. The job waits in the queue before
a check's time begins; each step has the check's limit. The job is named after the mark of the measurement, so that
whoever mends a killed one can cancel it; a small program beside us cancels it as soon as we are gone.

Where FLAGS have `--array` the repeats of a state whose number may be exact are the tasks of an array (`arrays`).
"""

from __future__ import annotations

import os
import shlex
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from ..kernel.core.errors import Postponed, Refusal
from ..kernel.core.frozen import replace
from ..kernel.core.text import one_line
from ..kernel.disk.layout import Layout
from ..kernel.run import context, exact
from ..kernel.run.measure import Bench
from ..kernel.system import interrupts, process

TRIES = 3  # nodes that a check is started on, when nodes fail
_ASK = 20.0  # seconds for a question to the controller
FAILED = ("NODE_FAIL", "BOOT_FAIL", "PREEMPTED", "REQUEUED")
_ERROR = b"srun: error:"
_UNSTARTED = b"srun: error: Unable to"
_jobs: dict[str, str] = {}  # of this process: by name, the id
_WATCH = "while kill -0 {pid} 2>/dev/null; do sleep 1; done; exec scancel --name={name}"
_watchers: dict[str, process.Process] = {}  # by name of the job that each cancels


def run(bench: Bench, command: str, limit: float, flags: Sequence[str]) -> process.Finished:
    """Run a check as a step; on a node that failed it is run again elsewhere, or postponed where runs are compared.

    Raises `Refusal` when no job can be had, `Postponed` when nodes fail.
    """
    from . import arrays

    known = arrays.taken(bench, command)
    if known:
        return known
    flags = arrays.without(flags)
    for _ in range(TRIES):
        job = _job(bench, flags)
        done = process.run_shell(_step(job, bench, command, limit), bench.tree, limit, {}, bench.mark)
        if done.exit_code == 0 and _ERROR not in done.stderr:  # where a node fails srun may exit 0
            return done
        state = _state(job)
        state = "NODE_FAIL" if _UNSTARTED in done.stderr or not state else state  # a controller that was away
        if state == "RUNNING" and not done.timed_out:
            return done
        release(bench.mark)
        if state not in FAILED:
            late = f"\nerror: Slurm ended job {job}: TIME LIMIT of the job\n".encode()
            return replace(done, stderr=done.stderr + late) if state == "TIMEOUT" else done
        if exact.rule().by_pairs(bench.config):
            break
    raise Postponed(f"postponed: the node of Slurm job {job} failed; nothing was recorded, repeat the command")


def name_of(mark: str) -> str:
    """The name of the job of a measurement."""
    return f"autoresearch-{mark}"


def _job(bench: Bench, flags: Sequence[str]) -> str:
    name = name_of(bench.mark)
    if name not in _jobs:
        watch(name)
        _jobs[name] = _allocated(bench, name, flags)
    return _jobs[name]


def watch(name: str) -> None:
    """From here on jobs of this name end with this process, however that ends."""
    import atexit

    if name in _watchers:
        return
    if not _watchers:
        atexit.register(_release_all)
    streams = process.Streams(None, Path(os.devnull), Path(os.devnull))
    line = _WATCH.format(pid=os.getpid(), name=shlex.quote(name))
    _watchers[name] = process.start_detached(("/bin/sh", "-c", line), Path("/"), {}, streams, name)


def _allocated(bench: Bench, name: str, flags: Sequence[str]) -> str:
    """A job, once the queue has room for it."""
    words = ["salloc", "--no-shell", f"--job-name={name}", "--nodes=1", "--ntasks=1", *flags]
    done = process.run_shell("exec " + shlex.join(words), bench.tree, None, {}, bench.mark)
    said = (done.stderr + done.stdout).decode("utf-8", "replace")
    _, _, rest = said.partition("Granted job allocation ")
    if done.exit_code != 0 or not rest:
        raise Refusal(f"Slurm gives no job ({one_line(said, 300)}), expected one; correct --executor, or wait")
    return rest.split()[0]


def _step(job: str, bench: Bench, command: str, limit: float) -> str:
    minutes = int(limit // 60) + 1
    words = ["srun", "--quiet", f"--jobid={job}", "--overlap", "--nodes=1", "--ntasks=1", f"--time={minutes}"]
    return "exec " + shlex.join([*words, f"--chdir={bench.tree}", "/bin/sh", "-c", command])


def ask(*words: str) -> str:
    """What a client of Slurm says, "" where it fails or takes too long."""
    from ..kernel.system.ask import ask_all

    return ask_all({"said": tuple(words)}, _ASK).get("said", "")


def _state(job: str) -> str:
    """The job's state now, "" where the controller does not tell."""
    until = time.monotonic() + _ASK
    while True:
        said = ask("scontrol", "show", "job", "--oneliner", job)
        state = said.partition("JobState=")[2].partition(" ")[0]
        if state != "COMPLETING" or time.monotonic() > until:
            return "TIMEOUT" if "Reason=TimeLimit" in said else state
        interrupts.pause(0.2)


def release(mark: str) -> None:
    """Give the job of a measurement back."""
    name = name_of(mark)
    if _jobs.pop(name, ""):
        ask("scancel", f"--name={name}")


def _release_all() -> None:
    for name, watcher in _watchers.items():
        ask("scancel", f"--name={name}")
        process.signal_group(watcher.pid, signal.SIGTERM)
        watcher.poll()


def ended(layout: Layout, mark: str) -> None:
    """Cancel the job of a measurement that was killed: the port `measure`."""
    try:
        executor = context.load(layout).config.executor
    except Refusal:
        return
    if executor.split()[:1] == ["slurm"]:
        ask("scancel", f"--name={name_of(mark)}")
