"""A trial that a foreground session left waiting, run by the Stop hook once the turn has ended."""

from __future__ import annotations

import os
import sys
import time

from ..codex import session_sandbox
from ..kernel.core.text import one_line
from ..kernel.disk import locks
from ..kernel.disk.layout import Layout, entry
from ..kernel.run import context, intent
from ..kernel.run.context import Run
from ..kernel.system import process
from ..waiting import waiting
from . import live_sessions

TEXT_LIMIT = 6000
TICK = 0.1
BREAK = 1.5  # seconds to end what runs when the user breaks in; the hook itself has three


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


def taken(layout: Layout, session: str) -> str | None:
    """Run what this session left waiting; what it is told, "" when nothing waits, None while another hook runs it.

    Where the hooks are installed twice, one of them runs the trial, and the other keeps quiet.
    """
    if waiting.session(layout) != session or not session:
        return ""
    try:
        lock = locks.open_locked(layout.evidence / "hook.lock", os.O_RDWR | os.O_CREAT, wait=False)
    except OSError:
        return None
    try:
        return _run(layout, session) if waiting.session(layout) == session else None
    finally:
        os.close(lock)


def _run(layout: Layout, session: str) -> str:
    folder = layout.evidence / "session"
    folder.mkdir(parents=True, exist_ok=True)
    out, err = folder / "answer.json", folder / "answer.txt"
    for path in (out, err):
        path.write_bytes(b"")
    argv = (sys.executable, str(entry("run_trial")), "--repo", str(layout.root), "--waiting")
    env = {waiting.CONFINED: session} if _is_confined(layout, session) else {}
    child = process.start_detached(argv, layout.root, env, process.Streams(None, out, err), _mark(session))
    while child.poll() is None:
        time.sleep(TICK)
    if child.poll() == 0:
        said = out.read_text("utf-8", "replace").strip()
        return "" if said == "{}" else waiting.told(said)
    if child.poll() == 1:
        waiting.drop(layout)  # else each end of a turn would be refused anew
    refused = one_line(err.read_text("utf-8", "replace"), TEXT_LIMIT)
    return waiting.told(f"refused: {refused}; the edit lies where it was") if child.poll() == 1 else ""


def take_back(layout: Layout, session: str) -> None:
    """The user broke in: end what is measured; the edit lies in the tree again, and nothing waits."""
    if waiting.session(layout) != session or not session:
        return
    waiting.drop(layout)
    process.end_marked(_mark(session), BREAK)
    with intent.alone(layout):
        pass


def _is_confined(layout: Layout, session: str) -> bool:
    """Whether what the session wrote must not run freely: by its record alone, for it could write anything else."""
    run = context.load(layout)
    return session_sandbox.command(session, run.tree) != ()


def _mark(session: str) -> str:
    return f"hook-{session}"
