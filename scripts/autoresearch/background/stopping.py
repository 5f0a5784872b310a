"""Stopping at any instant: take the controller's place, end all that its session started, undo, say what is true.

The same steps serve a living controller, a killed one, and one from before a reboot.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from ..kernel.core import supervise
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import replace
from ..kernel.core.text import listing
from ..kernel.disk import evidence, locks
from ..kernel.disk.layout import Layout
from ..kernel.run import budget, context
from ..kernel.system import gitfiles, process
from ..safeguard import strays
from ..waiting import waiting
from . import abandoned, ending, foreign, outcome, runtime_file
from . import runtime as values
from .account import Book
from .runtime import Runtime, SessionProcess

YIELD = 0.6  # seconds that a controller gets to leave; it is safe to kill at any instant
HANDING_OVER = 10.0  # seconds for the lock of a killed controller or a launch to come free, however short the grace
DEAD_GRACE = 5.0  # seconds for a session that a dead controller left behind
_TICK = 0.02


def _request_path(layout: Layout) -> Path:
    return layout.evidence / "stop-request.json"


def is_requested(layout: Layout) -> bool:
    """Whether a stop command is at work; the controller then leaves its session to it."""
    return _request_path(layout).exists()


def forget_request(layout: Layout) -> None:
    """Drop what an earlier stop left; the caller holds the controller's lock."""
    _request_path(layout).unlink(missing_ok=True)


def end(mark: str, leader: process.Process | SessionProcess | None, grace: float) -> tuple[str, ...]:
    """Interrupt, terminate, kill everything with this mark within `grace` and one second; what is still alive.

    An interrupt reaches what a shell command of the CLI started, a termination does not: so it comes first.
    """
    began = time.monotonic()
    process.interrupt_marked(mark)
    pid, identity = (leader.pid, leader.identity) if leader else (0, "")
    while pid and process.alive(pid, identity) and time.monotonic() - began < grace / 2:
        time.sleep(_TICK)
    return process.end_marked(mark, max(0.0, grace - (time.monotonic() - began)))


def stop(layout: Layout, grace: float) -> dict[str, Any]:
    """End the background run; the answer of `stop`.

    Returns within `grace` and two seconds, or `HANDING_OVER` where another command holds the lock."""
    found, now = runtime_file.truth(layout)
    unclean = found is not None and found.session is not None  # an earlier stop failed, or its controller died
    if now.decision != values.RUNNING and now.reason != "controller_lost" and not unclean:
        return runtime_file.answer(layout)
    if foreign.pid_of(layout):
        if foreign.stop(layout, grace):
            return runtime_file.answer(layout)
        failed = {"reason": "stop_failed", "detail": "another tool's controller does not end; end its process"}
        return {**runtime_file.answer(layout), **failed}
    began = time.monotonic()
    evidence.write_json(_request_path(layout), {"requested_at": context.now(), "pid": os.getpid()})
    handle = _take_over(layout, began + max(grace, HANDING_OVER))
    if handle is None:
        forget_request(layout)
        return {
            **runtime_file.answer(layout),
            "reason": "stop_failed",
            "detail": "a launch or a stop is under way; repeat",
        }
    try:
        _clean(layout, max(0.0, grace - (time.monotonic() - began)))
        forget_request(layout)
    finally:
        os.close(handle)
    return runtime_file.answer(layout)


def take(layout: Layout) -> int | None:
    """The controller's lock as a descriptor, None when somebody holds it.

    Tried more than once, for a look at the lock holds it for a moment too.
    """
    path = runtime_file.lock_path(layout)
    gitfiles.hide(path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(5):
        try:
            return locks.open_locked(path, os.O_RDWR | os.O_CREAT, wait=False)
        except BlockingIOError:
            time.sleep(_TICK)
    return None


def release(layout: Layout, handle: int) -> None:
    """Give the lock back; where it stands for no run at all, nothing of it stays in the repository."""
    if not any(path.exists() for path in (layout.results, layout.launch, layout.runtime)):
        try:
            runtime_file.lock_path(layout).unlink()
            layout.evidence.rmdir()
        except OSError:
            pass  # something else is there, or it is gone already
    os.close(handle)


def _take_over(layout: Layout, deadline: float) -> int | None:
    """The lock, after asking its holder to leave and killing it when it does not."""
    asked: dict[str, float] = {}
    while True:
        handle = take(layout)
        if handle is not None or time.monotonic() > deadline:
            return handle
        found = runtime_file.tolerant(layout)
        if found is None or not found.identity or not process.alive(found.pid, found.identity):
            continue  # a launch that has not handed over yet, or another stop
        if found.identity not in asked:
            asked[found.identity] = time.monotonic()
            process.terminate(found.pid, found.identity)
        elif time.monotonic() - asked[found.identity] > YIELD:
            process.terminate(found.pid, found.identity, signal.SIGKILL)


def clear_dead(layout: Layout) -> None:
    """End and undo what a controller that was killed left; the caller holds the lock. Raises `Refusal` on failure."""
    found = runtime_file.tolerant(layout)
    if found is None:
        return
    died = found.status == values.RUNNING
    if found.session is not None:
        _clean(layout, DEAD_GRACE, keep_waiting=True)
        found = runtime_file.tolerant(layout) or found
    if found.terminal_reason == "stop_failed":
        raise Refusal(f"stop_failed: an earlier session could not be cleared away: {found.terminal_detail}")
    if died:
        _conclude(layout, found)


def _conclude(layout: Layout, found: Runtime) -> None:
    """Write down how the run of a dead controller ended, where its last row ended it: nobody stopped it."""
    try:
        run = context.load(layout)
    except Refusal:
        return
    verdict = supervise.judge(run.config, run.mode, run.state, budget.spent(run))
    ended = outcome.ending(verdict)
    if ended is not None:
        book = Book(layout, found, runtime_file.logged_at(layout))
        book.note(status=ended.decision, terminal_reason=ended.reason, terminal_detail=ended.detail)
        book.log(f"{ended.decision}: {ended.reason} {ended.detail}")


def _clean(layout: Layout, grace: float, keep_waiting: bool = False) -> None:
    """End the recorded session, undo what it left, and write down how that went. The caller holds the lock."""
    found = runtime_file.tolerant(layout) or Runtime()
    session = found.session
    alive = end(session.mark, session, grace) if session and session.mark else ()
    if not alive:
        strays.take_up(layout.evidence / "session" / strays.NAME)  # what cleared its mark away
    if not found.identity:  # another tool's; its number may be somebody else's by now
        found = replace(found, pid=0, pgid=0)
    stopping = replace(found, requested_stop_at=context.now(), waiting_until="", waiting_for="")
    book = Book(layout, stopping, runtime_file.logged_at(layout))
    problem, done = f"still alive: {listing(alive)}" if alive else "", ""
    if not alive and (session or waiting.read(layout)):
        try:
            done = abandoned.clear(layout, keep_waiting)
        except Refusal as refusal:
            problem = str(refusal)
    if problem:
        book.note(status=values.HUMAN, terminal_reason="stop_failed", terminal_detail=problem)
    else:
        spent = book.found.sessions + (1 if session and session.number else 0)
        ended = {"terminal_reason": "user_stopped", "terminal_detail": done}
        book.note(status=values.STOPPED, session=None, sessions=spent, **ended)
        ending.summarise(layout)
    book.log(f"stop: {problem or 'stopped'}{'; ' + done if done else ''}")
