"""Keep or discard: the one place where a measured outcome becomes a status."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from .frozen import dataclass
from .numbers import better

UNDECIDED = "undecided"  # closes the description of a discard that refutes nothing


@dataclass(frozen=True)
class TrialOutcome:
    """What a trial is worth: `status` for the log, whether the metric improved, and why in a few words."""

    status: str
    improved: bool
    reason: str


def missing_labels(required: Sequence[str], carried: Sequence[str]) -> tuple[str, ...]:
    """The required labels that are not carried, in the order required."""
    return tuple(label for label in required if label not in carried)


def decide(direction: str, current: Decimal, trial: Decimal | None, guard: str, crashed: bool) -> TrialOutcome:
    """The outcome of a trial against the retained metric; `guard` is `pass`, `fail` or `-`."""
    if crashed or trial is None:
        return TrialOutcome("crash", False, "the check gave no number")
    improved = better(direction, trial, current)
    if improved and guard == "fail":
        return TrialOutcome("discard", True, "guard failed")
    if improved:
        return TrialOutcome("keep", True, "improved")
    return TrialOutcome("discard", False, "equal" if trial == current else "worse")


def gate_labels(outcome: TrialOutcome, required: Sequence[str], carried: Sequence[str]) -> TrialOutcome:
    """A would-be keep that misses a required label becomes a discard that names it."""
    missing = missing_labels(required, carried)
    if outcome.status != "keep" or not missing:
        return outcome
    return TrialOutcome("discard", outcome.improved, f"missing required label: {', '.join(missing)}")
