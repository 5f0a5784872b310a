"""What is counted between sessions, and the run that is handed over because nothing came of several. Pure."""

from __future__ import annotations

from ..kernel.core.frozen import dataclass
from ..kernel.core.rulings import Ruling
from ..kernel.core.supervise import HUMAN, RELAUNCH, STOP


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


def with_stagnation(ruling: Ruling, counters: Counters, limit: int) -> Ruling:
    """A run that would go on is handed over when `limit` sessions in a row added nothing."""
    if ruling.decision == RELAUNCH and limit > 0 and counters.stagnation >= limit:
        return Ruling(HUMAN, "stagnated", f"{counters.stagnation} sessions in a row recorded nothing")
    return ruling


def exit_kind(ruling: Ruling) -> str:
    """How the last session ended, as the snapshot tells it: `turn_complete`, `terminal`, or what a human is asked."""
    if ruling.decision == RELAUNCH:
        return "turn_complete"
    return "terminal" if ruling.decision == STOP or ruling.reason == "blocked" else ruling.reason
