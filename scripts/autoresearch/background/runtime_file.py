"""The controller's state on disk, the lock that proves its life, and what is true of both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..kernel.core.frozen import replace
from ..kernel.core.rulings import Ruling
from ..kernel.disk import evidence, locks
from ..kernel.disk.layout import Layout
from ..kernel.run import context
from ..kernel.system import process
from . import foreign, object_file, runtime
from .runtime import Runtime

BUSY = "a controller is at work here, expected none; look with runtime_ctl status, end it with runtime_ctl stop"


def lock_path(layout: Layout) -> Path:
    """The lock file whose holder is the controller, or a launch or stop that takes its place."""
    return layout.evidence / "controller.lock"


def is_running(layout: Layout) -> bool:
    """Whether somebody holds the controller's lock, or another tool's controller is at work."""
    return locks.is_held(lock_path(layout)) or foreign.pid_of(layout) > 0


def read(layout: Layout) -> Runtime | None:
    """The record, None when no controller ever ran; raises `ValueError` saying what is wrong with it."""
    return object_file.read(layout.runtime, runtime.from_dict)


def tolerant(layout: Layout) -> Runtime | None:
    """The record, None when it is missing or unusable."""
    try:
        return read(layout)
    except ValueError:
        return None


def write(layout: Layout, found: Runtime, log: Path) -> Runtime:
    """Replace the record; the caller holds the controller's lock."""
    now = context.now()
    found = replace(found, created_at=found.created_at or now, updated_at=now)
    paths = {"version": 1, "repo": str(layout.root), **layout.names("launch", "results", "state"), "log_path": str(log)}
    evidence.write_json(layout.runtime, {**paths, **found.to_dict()})
    return found


def session_alive(found: Runtime | None) -> tuple[str, ...]:
    """The command lines of what the recorded session started and still runs."""
    session = found.session if found else None
    return process.marked(session.mark) if session is not None and session.mark else ()


def truth(layout: Layout) -> tuple[Runtime | None, Ruling]:
    """The record and what is true; an unusable record is a matter for a human unless its controller lives."""
    locked = is_running(layout)
    try:
        found = read(layout)
    except ValueError as error:
        if locked:
            return None, Ruling(runtime.RUNNING, "runtime_active", str(error))
        return None, Ruling(runtime.HUMAN, "invalid_runtime_state", str(error))
    return found, runtime.truth(found, locked, not locked and bool(session_alive(found)))


def log_path(layout: Layout, wanted: str) -> Path:
    """Where the controller's log lies: as wanted, relative to the root, else at its usual place."""
    return layout.root / wanted if wanted else layout.runtime_log


def logged_at(layout: Layout) -> Path:
    """Where the last controller's log lies."""
    return Path(str((evidence.read_json(layout.runtime) or {}).get("log_path") or layout.runtime_log))


def answer(layout: Layout) -> dict[str, Any]:
    """The answer of `status`."""
    found, now = truth(layout)
    known = found.to_dict() if found else {}
    session = known.get("session") if now.decision == runtime.RUNNING or now.reason == "controller_lost" else None
    waiting = {name: known.get(name) for name in ("waiting_until", "waiting_for")}
    return {
        "status": now.decision,
        "reason": now.reason,
        "detail": now.detail,
        "pid": known.get("pid") if now.decision == runtime.RUNNING else None,
        "pgid": known.get("pgid") if now.decision == runtime.RUNNING else None,
        **layout.names("results", "state", "launch", "runtime"),
        "log_path": str(logged_at(layout)),
        "session": session,
        **(waiting if now.decision == runtime.RUNNING else {}),
        "alive": list(session_alive(found)) if now.decision != runtime.RUNNING else [],
        "last_error": known.get("last_error"),
        "spent": known.get("spent"),
        **progress(layout, known.get("spent")),
    }


def progress(layout: Layout, account: object = None) -> dict[str, Any]:
    """Where the run stands, {} when there is none to read."""
    from ..guidance import nextstep
    from ..kernel.core.errors import Refusal
    from ..kernel.run import budget

    try:
        run = context.load(layout)
    except Refusal:
        return {}
    state, spent = run.state, budget.spent(run, account)
    return {
        "run_tag": run.tag,
        "iteration": state.iteration,
        "last_status": state.last_status,
        "baseline_metric": state.baseline_metric,
        "retained_metric": state.current_metric,
        "best_metric": state.best_metric,
        "best_iteration": state.best_iteration,
        "left": nextstep.left(run.config, state, spent),
        **({"cost": round(spent.money, 4)} if run.config.price else {}),
        **({"until": run.config.until} if run.config.until else {}),
    }
