"""The exact signed-rank test and the estimates that go with it (Wilcoxon 1945, Biometrics Bulletin 1:80)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from ..kernel.core.numbers import median, middle


def p_value(gains: Sequence[Decimal]) -> float:
    """Return the exact one-sided p of `gains` being centred at or below zero.

    Zeros are dropped and ties share their mean rank; the distribution is counted over all signs of
    the ranks at hand, so both leave the test exact. No gain but zeros gives 1.
    """
    nonzero = [gain for gain in gains if gain]
    ranks = _doubled_ranks([gain.copy_abs() for gain in nonzero])
    statistic = sum(rank for rank, gain in zip(ranks, nonzero) if gain > 0)
    return _upper_tail(tuple(sorted(ranks)), statistic)


def estimate(gains: Sequence[Decimal]) -> Decimal:
    """Return the Hodges-Lehmann estimate of the gain: the median of the Walsh averages."""
    return median(_walsh(gains))


def interval(gains: Sequence[Decimal], level: float) -> tuple[Decimal, Decimal]:
    """Return the limits of the gains that the test at `level` on either side would not reject.

    `level` must be one that so many gains can attain; raises IndexError otherwise.
    """
    critical = critical_value(len(gains), level)
    walsh = _walsh(gains)
    return walsh[len(walsh) - critical], walsh[critical - 1]


def attainable(n: int, budget: float) -> float:
    """Return the largest p of `n` untied gains within `budget`; 0 where there is none."""
    critical = critical_value(n, budget)
    return _untied_tail(n, critical) if critical <= n * (n + 1) // 2 else 0.0


def critical_value(n: int, level: float) -> int:
    """Return the least statistic of `n` untied pairs with p within `level`, one past the top if none."""
    low, high = 0, n * (n + 1) // 2 + 1
    while low < high:
        guess = (low + high) // 2
        if _untied_tail(n, guess) <= level:
            high = guess
        else:
            low = guess + 1
    return low


def _walsh(gains: Sequence[Decimal]) -> list[Decimal]:
    """Return the sorted means of all pairs of gains, each gain with itself included (Walsh averages)."""
    return sorted(middle(a, b) for i, a in enumerate(gains) for b in gains[i:])


def _doubled_ranks(sizes: Sequence[Decimal]) -> list[int]:
    """Twice the mid-ranks of `sizes`, so that shared ranks stay integers."""
    ordered = sorted(sizes)
    first: dict[Decimal, int] = {}
    last: dict[Decimal, int] = {}
    for position, size in enumerate(ordered, start=1):
        first.setdefault(size, position)
        last[size] = position
    return [first[size] + last[size] for size in sizes]


@lru_cache(maxsize=4096)
def _upper_tail(ranks: tuple[int, ...], statistic: int) -> float:
    """Return P(sum of ranks with a positive sign >= statistic) when every sign is a fair coin.

    The counts of all 2^n sign patterns by their sum are the coefficients of prod(1 + x^rank), held in
    one integer with a field wide enough for each; the remainder by 2^width - 1 adds up the fields.
    """
    if not ranks:
        return 1.0
    width = len(ranks) + 1
    counts = 1
    for rank in ranks:
        counts += counts << (rank * width)
    upper = (counts >> (statistic * width)) % ((1 << width) - 1)
    return float(upper / (1 << len(ranks)))


def _untied_tail(n: int, statistic: int) -> float:
    return _upper_tail(tuple(range(1, n + 1)), statistic)
