"""Further numbers that a keep must satisfy: `p99_ms <= 250`, `rss_mb <= baseline*1.05`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from ..core import numbers
from ..core.errors import Refusal
from ..core.frozen import replace
from ..core.settings import Config
from . import measure
from .measure import Measurement, Sample

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

_FORM = re.compile(r"\s*([^\s<>=!]+)\s*(<=|>=|==|<|>)\s*(?:(baseline)\s*(?:([*+-])\s*)?)?(\S+)?\s*")
_TESTS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
}


# Where one run decides, a number that varies may be limited only so many of its ranges away from where it is.
CLEAR = 4.0
FEW = 3  # pairs; below that a miss need not be shown


def resolve(config: Config, samples: Sequence[Sample], by_pairs: bool) -> Config:
    """Turn relative bounds into numbers at the baseline, whose values are kept for the pairs.

    Raises `Refusal` for a bound that cannot be checked, and for one that one run would decide by chance.
    """
    if not config.require:
        return config
    others = measure.others(samples)
    config = replace(config, require=tuple(_absolute(text, others) for text in config.require))
    base = {}
    for text in config.require:
        key, _, bound = text.split(" ")
        base[key] = others[key]
        if not by_pairs:
            _refuse_chance(text, [sample.others[key] for sample in samples], Decimal(bound))
    return replace(config, noise={**config.noise, "others": base})


def _refuse_chance(text: str, values: Sequence[Decimal], bound: Decimal) -> None:
    wide = max(values) - min(values)
    if wide and float(wide) * CLEAR > abs(float(numbers.median(values) - bound)):
        shown = ", ".join(numbers.plain(value) for value in values[:4])
        raise Refusal(
            f"--require {text!r} would be decided by chance: unchanged code printed {shown}, and one run decides a "
            "trial; expected a number that repeats, or a limit further off"
        )


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
        misses = sum(not _TESTS[sign](mine.others[key], limit) for mine, limit in zip(found.samples, limits))
        if numbers.sign_test(misses, len(limits)) <= float(config.alpha):
            return f"{key} is {numbers.plain(found.others[key])} in the middle, required {sign} {bound}"
    return ""


def _now(sign: str, bound: Decimal, base: Any, retained: Decimal) -> Decimal:
    """The bound on the machine of now: what makes the retained code worse than at the baseline is not the edit's."""
    known = Decimal(0) if base is None else Decimal(str(base))
    if known <= 0 or retained <= 0 or bound <= 0 or sign == "==":
        return bound
    lenient = max if sign in ("<", "<=") else min
    return bound * lenient(Decimal(1), retained / known)


def _absolute(text: str, others: Mapping[str, Decimal]) -> str:
    match = _FORM.fullmatch(text)
    if not match or (match[3] is None and match[5] is None):
        raise Refusal(
            f"--require {text[:60]!r} is not understood, expected e.g. 'p99_ms <= 250' or 'rss_mb <= baseline*1.05'"
        )
    key = match[1]
    if key not in others:
        known = ", ".join(others) or "none"
        raise Refusal(
            f"--require names {key!r}, which the check does not print (it prints: {known}); print METRIC {key}=…"
        )
    if match[3] is None:
        bound = numbers.parse(match[5], f"the bound of {key}")
    else:
        bound = _relative(others[key], match[4], match[5], key)
    if not _TESTS[match[2]](others[key], bound):
        raise Refusal(
            f"--require {text[:60]!r} does not hold at the baseline ({key} is {numbers.plain(others[key])}); relax it"
        )
    return f"{key} {match[2]} {numbers.plain(bound)}"


def _relative(base: Decimal, sign: str, factor: str, key: str) -> Decimal:
    if sign is None:
        return base
    value = numbers.parse(factor or "", f"the bound of {key}")
    if sign == "*":
        return numbers.EXACT.multiply(base, value)
    return numbers.EXACT.add(base, value if sign == "+" else -value)


def broken(config: Config, others: Mapping[str, Decimal]) -> str:
    """The first requirement that these numbers miss, in words, or ""."""
    for text in config.require:
        key, sign, bound = text.split(" ")
        if key not in others:
            return f"{key} was not printed"
        if not _TESTS[sign](others[key], Decimal(bound)):
            return f"{key} is {numbers.plain(others[key])}, required {sign} {bound}"
    return ""
