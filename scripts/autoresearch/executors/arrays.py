"""Repeats of one state as tasks of a Slurm array (`man sbatch`): `slurm --array FLAGS`, `--array=%N` for N at once.

The user says by the flag that runs of the check bear each other in one folder. They are made ahead, all at one time,
and handed out one by one. A baseline or a drift whose values differ is made anew on one node: what is noisy is compared
within one job. Not for checks that read their number from a file or are prepared.

A task has the check's time limit, and starts when there is room. One whose node fails is submitted again.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..kernel.core.errors import Postponed, Refusal
from ..kernel.core.frozen import replace
from ..kernel.core.text import one_line
from ..kernel.disk import regular
from ..kernel.run.measure import Bench
from ..kernel.system import gitfiles, interrupts, process
from ..kernel.system.git import Repo
from . import slurm

FLAG = "--array"
_ASKED = 1.0  # seconds between questions to the controller
_LATE = 10.0  # seconds after which a file of a task that has ended is given up: a shared file system may be slow
_TICK = 0.1
_OVER = 124  # what timeout(1) says of a command that it ended
# One task: what the check prints in two files, then one line with its exit code and times, which is there whole.
_SCRIPT = """\
#!/bin/sh
f={folder}/$SLURM_ARRAY_TASK_ID
begun=$(date +%s%N)
timeout -k 2 {limit:.3f} /bin/sh -c {command} < /dev/null > "$f.out" 2> "$f.err"
echo "$? $begun $(date +%s%N)" > "$f.tmp" && mv "$f.tmp" "$f.end"
"""
_ready: dict[tuple[str, str], list[process.Finished]] = {}  # by mark and command


def without(flags: Sequence[str]) -> list[str]:
    """The flags that are Slurm's own here."""
    return [flag for flag in flags if flag.partition("=")[0] != FLAG]


def taken(bench: Bench, command: str) -> process.Finished | None:
    """A run that was made ahead, None where there is none (any more)."""
    ready = _ready.get((bench.mark, command))
    return ready.pop(0) if ready else None


@contextmanager
def ahead(bench: Bench, count: int) -> Iterator[bool]:
    """Make so many runs of verify at one time, for the block: the port `measure`. Whether they were.

    Raises `Refusal` where Slurm takes no array, `Postponed` where nodes fail.
    """
    words = shlex.split(bench.config.executor)
    wanted = next((word for word in words[1:] if word.partition("=")[0] == FLAG), "")
    if words[:1] != ["slurm"] or not wanted or not _bears(bench):
        yield False
        return
    command = bench.config.verify
    _ready[bench.mark, command] = _made(bench, count, _at_most(wanted), without(words[1:]))
    try:
        yield True
    finally:
        del _ready[bench.mark, command]


def _at_most(flag: str) -> str:
    """`%N`, as Slurm reads it, or "" for all at once."""
    text = flag.partition("=")[2]
    if text and not (text[0] == "%" and text[1:].isdecimal() and int(text[1:])):
        raise Refusal(f"the executor says {one_line(flag, 40)}, expected --array or --array=%N; correct --executor")
    return text


def _bears(bench: Bench) -> bool:
    """Whether the number is what the check prints, and nothing is done around a run."""
    config = bench.config
    return not (bench.results or ":" in config.metric_from or config.prepare)


def _made(bench: Bench, count: int, most: str, flags: Sequence[str]) -> list[process.Finished]:
    """All runs, in any order of their ends."""
    name = slurm.name_of(bench.mark)
    slurm.watch(name)
    found: dict[int, process.Finished] = {}
    try:
        with gitfiles.scratch(Repo(bench.tree).git_dir(), "array") as folder:
            for number in range(slurm.TRIES):
                left = [task for task in range(count) if task not in found]
                mine = folder / str(number)  # a node that is taken for dead may write for a while
                mine.mkdir()
                job = _submitted(bench, mine, f"{','.join(map(str, left))}{most}", flags)
                found.update(_awaited(bench, mine, job, left))
                if len(found) == count:
                    return [found[task] for task in range(count)]
    finally:
        slurm.ask("scancel", f"--name={name}")
    raise Postponed(f"postponed: nodes of Slurm job {job} failed; nothing was recorded, repeat the command")


def _submitted(bench: Bench, folder: Path, tasks: str, flags: Sequence[str]) -> str:
    """The id of an array with these tasks."""
    limit = bench.limit.hard
    script = folder / "task.sh"
    command = shlex.quote(bench.config.verify)
    script.write_text(_SCRIPT.format(folder=shlex.quote(str(folder)), limit=limit, command=command), "utf-8")
    words = ["sbatch", "--parsable", f"--array={tasks}", f"--job-name={slurm.name_of(bench.mark)}", "--nodes=1"]
    words += ["--ntasks=1", "--no-requeue", "--output=/dev/null", f"--chdir={bench.tree}"]
    timed = any(flag.startswith(("-t", "--time")) for flag in flags)
    words += [*([] if timed else [f"--time={int(limit // 60) + 2}"]), *flags, str(script)]
    done = process.run_shell("exec " + shlex.join(words), bench.tree, None, {}, bench.mark)
    said = done.stdout.decode("utf-8", "replace").strip().partition(";")[0]
    if done.exit_code != 0 or not said.isdecimal():
        told = one_line((done.stderr + done.stdout).decode("utf-8", "replace"), 300)
        raise Refusal(f"Slurm takes no array ({told}), expected one; correct --executor, or wait")
    return said


def _awaited(bench: Bench, folder: Path, job: str, tasks: Sequence[int]) -> dict[int, process.Finished]:
    """How these tasks ended; those whose node failed lack."""
    found: dict[int, process.Finished] = {}
    gone: dict[int, float] = {}  # tasks that Slurm has ended, and when that was seen
    failed: set[int] = set()
    asked = time.monotonic()
    while set(tasks) - set(found) - failed:
        for task in set(tasks) - set(found) - failed:
            if (folder / f"{task}.end").exists():
                found[task] = _finished(folder, task, bench.limit.hard)
            elif task in gone and time.monotonic() - gone[task] > _LATE:
                found[task] = _ended(folder, job, task)
        if time.monotonic() - asked > _ASKED:
            asked, states = time.monotonic(), _states(job)
            failed |= {task for task, state in states.items() if state in slurm.FAILED} - set(found)
            over = {task for task, state in states.items() if state not in ("PENDING", "RUNNING", "COMPLETING")}
            gone.update(dict.fromkeys(over - set(gone), asked))
        interrupts.pause(_TICK)
    return found


def _states(job: str) -> dict[int, str]:
    """The state of each task that has begun, as the controller tells it; {} where it does not."""
    found = {}
    for line in slurm.ask("scontrol", "show", "job", "--oneliner", job).split("\n"):
        task = line.partition("ArrayTaskId=")[2].partition(" ")[0]
        state = line.partition("JobState=")[2].partition(" ")[0]
        if task.isdecimal():
            found[int(task)] = "TIMEOUT" if "Reason=TimeLimit" in line else state
    return found


def _finished(folder: Path, task: int, limit: float) -> process.Finished:
    """One that ended by itself, or at the check's time limit."""
    code, begun, ended = map(int, regular.read_text(folder / f"{task}.end").split())
    seconds = (ended - begun) / 1e9
    late = code in (_OVER, 128 + 9) and seconds >= limit
    return _told(folder, task, None if late else code, seconds, late)


def _ended(folder: Path, job: str, task: int) -> process.Finished:
    """One that Slurm ended."""
    state = _states(job).get(task, "gone")
    why = "TIME LIMIT of the job" if state == "TIMEOUT" else f"state {one_line(state, 40)}"
    done = _told(folder, task, 1, 0.0, False)
    return replace(done, stderr=done.stderr + f"\nerror: Slurm ended job {job}: {why}\n".encode())


def _told(folder: Path, task: int, code: int | None, seconds: float, late: bool) -> process.Finished:
    most = process.Limits().total
    streams = [_read(folder / f"{task}.{name}", most) for name in ("out", "err")]
    loud = any(len(data) > most for data in streams)
    return process.Finished(code, 0, late, loud, seconds, streams[0], streams[1], ())


def _read(path: Path, most: int) -> bytes:
    """At most one byte more than so many."""
    try:
        with open(path, "rb") as file:
            return file.read(most + 1)
    except OSError:
        return b""
