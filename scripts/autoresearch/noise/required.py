"""Limits on other numbers that a keep must satisfy, under noise: a miss must be shown."""

from __future__ import annotations

from decimal import Decimal

from ..kernel.core import numbers
from ..kernel.core.frozen import Any
from ..kernel.core.settings import Config
from ..kernel.run.measure import Measurement
from ..kernel.run.require import TESTS, broken

FEW = 3  # pairs; below that a miss need not be shown


def missed(config: Config, found: Measurement) -> str:
    """The first requirement that a measured candidate misses, in words, or "".

    Under pairs a miss must be shown, by the sign test over them at the run's error rate: unchanged code that lies at
    the limit is not thrown away by a coin toss.
    """
    if len(found.samples) < FEW or len(found.samples) != len(found.retained):
        return broken(config, found.others)
    for text in config.require:
        key, sign, bound = text.split(" ")
        if any(key not in sample.others for sample in (*found.samples, *found.retained)):
            return f"{key} was not printed"
        base = config.noise.get("others", {}).get(key)
        limits = [_now(sign, Decimal(bound), base, sample.others[key]) for sample in found.retained]
        misses = sum(not TESTS[sign](mine.others[key], limit) for mine, limit in zip(found.samples, limits))
        if _sign_test(misses, len(limits)) <= float(config.alpha):
            return f"{key} is {numbers.plain(found.others[key])} in the middle, required {sign} {bound}"
    return ""


def _now(sign: str, bound: Decimal, base: Any, retained: Decimal) -> Decimal:
    """The bound on the machine of now: what makes the retained code worse than at the baseline is not the edit's."""
    known = Decimal(0) if base is None else Decimal(str(base))
    if known <= 0 or retained <= 0 or bound <= 0 or sign == "==":
        return bound
    lenient = max if sign in ("<", "<=") else min
    return bound * lenient(Decimal(1), retained / known)


def _sign_test(hits: int, n: int) -> float:
    """The probability of so many hits or more in `n` throws of a fair coin."""
    from math import comb

    return float(sum(comb(n, k) for k in range(hits, n + 1)) / 2**n)
