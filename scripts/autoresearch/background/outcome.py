"""What the end of a session means for the run: on at once, wait, or the end of the run. Pure."""

from __future__ import annotations

from ..kernel.core import supervise
from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.rulings import Ruling
from . import backoff, runtime
from .agent import ErrorClass


@dataclass(frozen=True)
class Next:
    """What follows a session: an ending, or the seconds to wait and what for."""

    ending: Ruling | None = None
    wait: float = 0.0
    why: str = ""


@dataclass(frozen=True)
class SessionOutcome:
    """A session that has ended: its class, whether the run is set up, and failed sessions in a row with this one."""

    error: ErrorClass
    artifacts: bool
    failures: int
    empty: int  # sessions in a row that left no run at all, this one included


def counts(error: ErrorClass) -> bool:
    """Whether a session without a row counts towards stagnation: not when the model could not be reached."""
    return error.action == "fresh_session" or error.name == "unknown"


def ending(found: Ruling) -> Ruling | None:
    """How the run ends by what the supervisor says, its status in place of the decision; None where it goes on."""
    if found.decision == supervise.RELAUNCH:
        return None
    return replace(found, decision=runtime.TERMINAL if found.decision == supervise.STOP else runtime.HUMAN)


@dataclass(frozen=True)
class WaitLimits:
    """How long the user lets the controller wait: seconds of the first backoff and until a plan's limit is reset, and
    how many sessions in a row may leave no run at all (0: any)."""

    first: float
    usage_limit: float
    empty: int


def after(session: SessionOutcome, patience: WaitLimits) -> Next:
    """What an error alone asks for; the supervisor's decision comes before."""
    error = session.error
    text = f"{error.name}: {error.text}" if error.text else error.name
    too_long = error.name == "usage_limit" and (error.retry_after or 0.0) > patience.usage_limit
    if error.action == "human" or too_long:
        reason = "codex_exec_unavailable" if session.artifacts else "startup_failed_before_artifacts"
        return Next(Ruling(runtime.HUMAN, reason, text))
    if not session.artifacts and counts(error) and 0 < patience.empty <= session.empty:
        ok = error.name == "ok"
        reason = "missing_artifacts_after_success" if ok else "startup_failed_before_artifacts"
        return Next(Ruling(runtime.HUMAN, reason, f"{session.empty} sessions did not set the run up; last: {text}"))
    wait = backoff.seconds(error, session.failures, patience.first)
    return Next(wait=wait, why=text if wait else "")
