"""A trial that a foreground session left waiting, run by the Stop hook once the turn has ended."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from ..codex import session_sandbox
from ..kernel.core.text import one_line
from ..kernel.disk import evidence, locks
from ..kernel.disk.layout import Layout, entry
from ..kernel.run import context, intent
from ..kernel.run.context import Run
from ..kernel.system import process
from ..waiting import waiting
from . import live_sessions

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

TICK = 0.1
MARGIN = 60.0  # seconds before the end of its time in which a hook hands over
BREAK = 1.5  # seconds to end what runs when the user breaks in; the hook itself has three


_STILL = (
    "The trial that you left waiting is measured still, and goes on while you are away. End your turn now, with one "
    "line and without another edit or command; its answer opens your next turn."
)


def takes_over(run: Run) -> bool:
    """Whether this command belongs to a foreground session in which our hooks run, and have the session's sandbox."""
    session = os.environ.get("CODEX_THREAD_ID", "")
    if run.config.session_mode != "foreground" or run.mode == "exec" or not live_sessions.is_live(session):
        return False
    within = session_sandbox.command(session, run.tree)
    return within == () or (within is not None and live_sessions.is_confined(session))


def sandbox(run: Run) -> tuple[str, ...]:
    """The sandbox of the session that left the trial waiting, as its own record names it."""
    session = os.environ.get(waiting.CONFINED, "")
    return (session_sandbox.command(session, run.tree) or ()) if session != waiting.CONTROLLED else ()


def taken(layout: Layout, session: str, limit: float) -> str | None:
    """Run what this session left waiting; what it is told, "" when nothing waits, None while another hook runs it.

    A trial may last as long as the run lets it: before Codex would end the hook, after `limit` seconds, the session is
    told so, the trial goes on, and the next end of its turn waits for it. Where the hooks are installed twice, one of
    them runs the trial, and the other keeps quiet.
    """
    half_written = _note(layout).with_name(_note(layout).name + ".tmp")  # a hook that was killed leaves it
    if not _is_due(layout, session) and not half_written.exists():
        return ""
    try:
        lock = locks.open_locked(layout.evidence / "hook.lock", os.O_RDWR | os.O_CREAT, wait=False)
    except OSError:
        return None
    try:
        half_written.unlink(missing_ok=True)
        return (
            _run(layout, session, time.monotonic() + limit - min(MARGIN, limit / 4))
            if _is_due(layout, session)
            else None
        )
    finally:
        os.close(lock)


def _is_due(layout: Layout, session: str) -> bool:
    return bool(session) and session in (waiting.session(layout), _begun(layout).get("session"))


def _run(layout: Layout, session: str, deadline: float) -> str:
    """The answer of the trial that this session has running, or that waits, or that ended after its hook did."""
    begun = _begun(layout)
    mine = begun.get("session") == session
    pid, identity = int(begun.get("pid", 0)), str(begun.get("identity", ""))
    if not (mine and process.alive(pid, identity)):
        if waiting.session(layout) == session:
            pid, identity = _start(layout, session)
        elif not mine:
            return ""
    while process.alive(pid, identity):
        if time.monotonic() > deadline:
            return _STILL
        time.sleep(TICK)
    _note(layout).unlink(missing_ok=True)
    return _answer(layout)


def _start(layout: Layout, session: str) -> tuple[int, str]:
    """The trial in a process of its own, which outlives a hook that Codex ends."""
    out, err = _files(layout)
    out.parent.mkdir(parents=True, exist_ok=True)
    for path in (out, err):
        path.write_bytes(b"")
    argv = (sys.executable, str(entry("run_trial")), "--repo", str(layout.root), "--waiting")
    env = {waiting.CONFINED: session} if _is_confined(layout, session) else {}
    child = process.start_detached(argv, layout.root, env, process.Streams(None, out, err), _mark(session))
    evidence.write_json(_note(layout), {"session": session, "pid": child.pid, "identity": child.identity})
    return child.pid, child.identity


def _answer(layout: Layout) -> str:
    """What the trial left: its answer, why it was refused, or "" where it was killed: then it waits still."""
    out, err = _files(layout)
    said = out.read_text("utf-8", "replace").strip()
    if said:
        return "" if said == "{}" else waiting.told(said)
    refused = one_line(err.read_text("utf-8", "replace"), waiting.HANDED).partition("error: ")[2]
    if not refused:
        return ""
    waiting.drop(layout)  # else each end of a turn would be refused anew
    return waiting.told(f"refused: {refused}; the edit lies where it was")


def _files(layout: Layout) -> tuple[Path, Path]:
    folder = layout.evidence / "session"
    return folder / "answer.json", folder / "answer.txt"


def _note(layout: Layout) -> Path:
    return layout.evidence / "hook.json"


def _begun(layout: Layout) -> Mapping[str, Any]:
    """The trial that a hook began and whose answer nobody was told: whose it is, and its process."""
    return evidence.read_json(_note(layout)) or {}


def take_back(layout: Layout, session: str) -> None:
    """The user broke in: end what is measured; the edit lies in the tree again, and nothing waits."""
    if not _is_due(layout, session):
        return
    if waiting.session(layout) == session:
        waiting.drop(layout)
    _note(layout).unlink(missing_ok=True)
    process.end_marked(_mark(session), BREAK)
    with intent.alone(layout):
        pass


def _is_confined(layout: Layout, session: str) -> bool:
    """Whether what the session wrote must not run freely: by its record alone, for it could write anything else."""
    run = context.load(layout)
    return session_sandbox.command(session, run.tree) != ()


def _mark(session: str) -> str:
    return f"hook-{session}"
