"""When a quick check shows that a candidate is clearly worse. Pure.

Candidate and retained code are run in turns. The first pair in which the candidate is not worse ends the stage. Two
pairs without any spread are enough; under noise all of `PAIRS` pairs must be worse, and every run of the candidate
worse than every run of the retained code. Without a difference that happens in 1 of 70 cases (all orders of four and
four are equally likely), and then a full check was spared that would have kept nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ..kernel.core import numbers

PAIRS = 4
GO_ON, WORSE, PASSES = "go on", "worse", "passes"


def said(direction: str, mine: Sequence[Decimal], theirs: Sequence[Decimal]) -> str:
    """`go on` with another pair, `worse`, or `passes`; both have the same length, at least one."""
    if not numbers.better(direction, theirs[-1], mine[-1]):
        return PASSES
    if len(mine) > 1 and len(set(mine)) == len(set(theirs)) == 1:
        return WORSE
    if len(mine) < PAIRS:
        return GO_ON
    worst, best = (min, max) if direction == "lower" else (max, min)
    return WORSE if numbers.better(direction, best(theirs), worst(mine)) else PASSES
