"""Limits on other numbers as they are asked for, made numbers at the baseline: `rss_mb <= baseline*1.05`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from ..kernel.core import numbers
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import replace
from ..kernel.core.settings import Config
from ..kernel.run import measure
from ..kernel.run.measure import Sample
from ..kernel.run.require import TESTS

_FORM = re.compile(r"\s*([^\s<>=!]+)\s*(<=|>=|==|<|>)\s*(?:(baseline)\s*(?:([*+-])\s*)?)?(\S+)?\s*")
# Where one run decides, a number that varies may be limited only so many of its ranges away from where it is.
CLEAR = Decimal(4)


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


def key_of(text: str) -> str:
    """The number that a bound as it is asked for is on, "" for one that is not understood."""
    match = _FORM.fullmatch(text)
    return match[1] if match else ""


def _refuse_chance(text: str, values: Sequence[Decimal], bound: Decimal) -> None:
    middle = numbers.median(values)
    away = CLEAR * (max(values) - min(values))
    if away > abs(middle - bound):
        shown = ", ".join(numbers.plain(value) for value in values[:4])
        clear = numbers.plain(middle + away if bound > middle else middle - away)
        raise Refusal(
            f"--require {text!r} would be decided by chance: unchanged code printed {shown}, and one run decides a "
            f"trial; expected a number that repeats, a limit no nearer than {clear}, or for a metric that "
            "varies more --max-runs, so that pairs of runs decide"
        )


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
    if not TESTS[match[2]](others[key], bound):
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
