"""Runs that something else disturbed: which pairs are set aside, and how unsteady a trial was.

Whether a pair is set aside depends on each pair's larger and smaller value alone, never on which of the two was the
candidate's. Given the pairs as unordered sets, the signs of the counted ones are therefore still fair coins for an edit
that does nothing, and the signed-rank test over them is still exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations

from ..kernel.core import numbers

Pair = tuple[Decimal, Decimal]

REACH = 5.0  # robust spreads from the middle; beyond them a value is an outlier
LEAST = 3  # pairs from which the middle means anything
MAD_TO_SIGMA = 1.4826
UNSTEADY = 2.0  # times the calibrated spread: from here on a few pairs do not make an edit hopeless
DISTURBED = 4.0  # times the calibrated spread: from here on the better runs are asked before an edit is given up
PROMISE = 2.0  # calibrated spreads by which the better third of the runs must be ahead to go on
GAP = 4.0  # of few runs, the spread is this many times the smallest gap at most: one disturbed run is no spread


def counted(pairs: Sequence[Pair], spread: Decimal) -> list[Pair]:
    """The pairs without those whose larger or smaller value is an outlier among its like; all where `spread` is 0."""
    if not spread or len(pairs) < LEAST:
        return list(pairs)
    larger = _usual([float(max(pair)) for pair in pairs], float(spread))
    smaller = _usual([float(min(pair)) for pair in pairs], float(spread))
    return [pair for pair, one, other in zip(pairs, larger, smaller) if one and other]


def _usual(values: Sequence[float], floor: float) -> list[bool]:
    """Which values lie within reach of their median."""
    middle = _median(values)
    gaps = [abs(value - middle) for value in values]
    reach = REACH * max(floor, MAD_TO_SIGMA * _median(gaps))
    return [gap <= reach for gap in gaps]


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def gini(values: Sequence[Decimal]) -> float:
    """Gini's mean difference, unbiased for the standard deviation of normal noise (David 1968, Biometrika 55:573).

    It is 0 only if all values are equal. Raises ZeroDivisionError for a single value.
    """
    gaps = [abs(float(a - b)) for a, b in combinations(values, 2)]
    return sum(gaps) / len(gaps) * math.sqrt(math.pi) / 2


def steady_spread(values: Sequence[Decimal], spread: Decimal) -> Decimal:
    """The calibrated `spread` without one disturbed run among the few that it came from.

    Of three or four runs Gini's difference sees every outlier; the two that lie nearest bound it.
    """
    ordered = sorted(values)
    nearest = min((b - a for a, b in zip(ordered, ordered[1:])), default=Decimal(0))
    if len(values) not in (3, 4) or not nearest:
        return spread
    return min(spread, Decimal(str(GAP)) * nearest)


def seen_spread(pairs: Sequence[Pair]) -> float:
    """The spread of one run that these pairs show within either state; 0 of a single pair."""
    if len(pairs) < 2:
        return 0.0
    return (gini([mine for mine, _ in pairs]) + gini([theirs for _, theirs in pairs])) / 2


def promising(pairs: Sequence[Pair], direction: str, spread: Decimal, least: Decimal) -> bool:
    """Whether a trial was so disturbed, and its better runs lie so far apart, that it is too early to give up."""
    if not spread or seen_spread(pairs) <= DISTURBED * float(spread):
        return False
    mine, theirs = (_third_best(values, direction) for values in zip(*pairs))
    return float(numbers.gain(direction, mine, theirs) - least) > PROMISE * float(spread)


def _third_best(values: Sequence[Decimal], direction: str) -> Decimal:
    return sorted(values, reverse=direction == "higher")[len(values) // 3]
