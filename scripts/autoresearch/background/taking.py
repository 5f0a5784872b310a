"""A trial that a session left waiting, run by the controller while no session lives."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from ..kernel.core.choices import SANDBOXED
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from ..kernel.core.text import one_line
from ..kernel.disk.layout import Layout, entry
from ..kernel.run import context
from ..kernel.run.context import Run
from ..kernel.system import process
from ..kernel.system.git import GitError
from ..lines import steps
from ..search import offers
from ..waiting import waiting
from . import agent, manifest_file, runtime_file, stopping, stream
from .account import Book
from .manifest import Options
from .runtime import SessionProcess
from .wake import Wake

TICK = 2.0  # seconds between looks; the end is noticed at once
GRACE = 5.0
MARK = "session-"  # how the mark of each of our sessions begins


@dataclass(frozen=True)
class Taken:
    """How a waiting trial went: what is handed to the next session, whether a stop was asked for, whether it broke."""

    text: str = ""
    stopped: bool = False
    broken: bool = False


def takes_over(run: Run) -> bool:
    """Whether this process belongs to a session of a living controller, which runs what is left waiting."""
    marks = os.environ.get(process.MARK, "").split("/")
    if not any(mark.startswith(MARK) for mark in marks) or not runtime_file.is_running(run.layout):
        return False
    found = runtime_file.tolerant(run.layout)
    return run.config.execution_policy != SANDBOXED or bool(found and found.launch_context.get("confined"))


def sandbox(run: Run) -> tuple[str, ...]:
    """The sandbox of the run's agent, as the launch manifest names it; git folders are no roots of it."""
    if os.environ.get(waiting.CONFINED) != waiting.CONTROLLED:
        return ()
    try:
        found = manifest_file.read(run.layout)
        return confined(found.controller, run) if found else ()
    except (ValueError, Refusal):
        return ()


def confined(options: Options, run: Run) -> tuple[str, ...]:
    """The command line of the sandbox in which this agent's sessions run."""
    trees = tuple(str(where) for where, _ in run.trees().values())[1:]
    call = agent.Call(options.agent_bin, options.agent_args, run.tree, SANDBOXED, trees, Path(os.devnull), "")
    return agent.named(options.agent).confined(call)


def can_confine(options: Options, layout: Layout) -> bool:
    """Whether the sandbox can be had here: tried once, before the first session."""
    try:
        run = context.load(layout)
        prefix = confined(options, run)
        tried = process.run_shell("exit 9", run.tree, 60.0, {}, "confined", process.Limits(within=prefix))
        return bool(prefix) and tried.exit_code == 9
    except (Refusal, OSError):
        return False


def flags(layout: Layout) -> list[str]:
    """Repository and artifact paths as flags of any command."""
    paths = {"results": layout.results, "state": layout.state, "launch": layout.launch, "runtime": layout.runtime}
    return [
        "--repo",
        str(layout.root),
        *(part for name, path in paths.items() for part in (f"--{name}-path", str(path))),
    ]


def own(layout: Layout) -> str:
    """The stored attempts that are worth a trial now, as `--retry` takes them; "" where none is, or git is no use."""
    try:
        run = context.load(layout)
        return offers.due(run)
    except (Refusal, GitError, OSError):
        return ""


def line_is_due(layout: Layout) -> bool:
    """Whether a step of a side line is due."""
    try:
        return bool(steps.due(context.load(layout)))
    except (Refusal, GitError, OSError):
        return False


def confining(book: Book) -> dict[str, str]:
    """The environment of a command that runs checks: where the sessions are sandboxed, so are they."""
    sandboxed = book.found.launch_context.get("execution_policy") == SANDBOXED
    return {waiting.CONFINED: waiting.CONTROLLED} if sandboxed else {}


def run(book: Book, wake: Wake, python: str, trial: tuple[str, ...] = ("--waiting",)) -> Taken:
    """Run it to its end in a process of its own, which a stop ends like a session.

    `trial` are the flags of `run_trial`: the trial that was left waiting, or one of the tool's own.
    """
    what = "the trial that was left waiting" if trial == ("--waiting",) else f"the tool's own trial ({trial[-1]})"
    return command(book, wake, (python, str(entry("run_trial")), *flags(book.layout), *trial), what, confining(book))


def command(book: Book, wake: Wake, argv: tuple[str, ...], what: str, env: Mapping[str, str]) -> Taken:
    """Run a command to its end in a process of its own, which a stop ends like a session; `what` names it."""
    folder = book.layout.evidence / "session"
    out, err = folder / "answer.json", folder / "answer.txt"
    folder.mkdir(parents=True, exist_ok=True)
    for path in (out, err):
        path.write_bytes(b"")
    mark = f"waiting-{os.getpid()}-{time.time_ns()}"
    session = SessionProcess(0, mark=mark, started_at=context.now(), command=what)
    book.note(session=session)
    child = process.start_detached(argv, book.layout.root, dict(env), process.Streams(None, out, err), mark)
    book.log(f"runs {what}")
    stopped = _wait(book, wake, child, mark)
    if stopped and stopping.is_requested(book.layout):
        return Taken(stopped=True)  # whoever asked ends it
    book.note(session=None)
    taken = Taken(stopped=True) if stopped else result(child.poll(), out, err)
    book.log(f"{what}: {one_line(taken.text, 300) or 'no answer'}")
    return taken


def _wait(book: Book, wake: Wake, child: process.Process, mark: str) -> bool:
    """Until it ends; its time counts. Whether a stop was asked for."""
    began, before = time.monotonic(), book.found.minutes
    try:
        while child.poll() is None and not wake.asked:
            wake.sleep(TICK)
            book.note(minutes=before + (time.monotonic() - began) / 60)
    except BaseException:
        stopping.end(mark, child, GRACE)
        raise
    if child.poll() is None and not stopping.is_requested(book.layout):
        stopping.end(mark, child, GRACE)
    return wake.asked


def result(code: int | None, out: Path, err: Path) -> Taken:
    """What a trial that ended with this code left in its two files."""
    said = stream.tail(out, waiting.HANDED).decode("utf-8", "replace").strip()
    if code == 0:
        return Taken("" if said == "{}" else said)
    refused = one_line(stream.tail(err, waiting.HANDED).decode("utf-8", "replace"), 2000)
    if code == 1 and refused:
        return Taken(f"refused: {refused.partition('error: ')[2] or refused}; the edit is taken back")
    return Taken(broken=True)
