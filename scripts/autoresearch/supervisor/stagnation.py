"""What is counted between sessions, and the run that is handed over because nothing came of several. Pure."""

from __future__ import annotations

from ..kernel.core.frozen import dataclass
from ..kernel.core.supervise import HUMAN, RELAUNCH, STOP, Verdict


@dataclass(frozen=True)
class Counters:
    """The supervisor's own memory between sessions: what the log looked like, and how often nothing came of one."""

    signature: str = ""
    restarts: int = 0
    stagnation: int = 0


def after_session(before: Counters, signature: str) -> Counters:
    """Count a finished session; it stagnated when the log's signature is the one of the session before."""
    stuck = before.stagnation + 1 if before.signature and before.signature == signature else 0
    return Counters(signature, before.restarts + 1, stuck)


def with_stagnation(verdict: Verdict, counters: Counters, limit: int) -> Verdict:
    """A run that would go on is handed over when `limit` sessions in a row added nothing."""
    if verdict.decision == RELAUNCH and limit > 0 and counters.stagnation >= limit:
        return Verdict(HUMAN, "stagnated", f"{counters.stagnation} sessions in a row recorded nothing")
    return verdict


def exit_kind(verdict: Verdict) -> str:
    """How the last session ended, as the snapshot tells it: `turn_complete`, `terminal`, or what a human is asked."""
    if verdict.decision == RELAUNCH:
        return "turn_complete"
    return "terminal" if verdict.decision == STOP or verdict.reason == "blocked" else verdict.reason
