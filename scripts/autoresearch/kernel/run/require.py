"""Further numbers that a keep must satisfy: `p99_ms <= 250`, `rss_mb <= baseline*1.05`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from ..core import numbers
from ..core.errors import Refusal
from ..core.frozen import replace
from ..core.settings import Config

_FORM = re.compile(r"\s*([^\s<>=!]+)\s*(<=|>=|==|<|>)\s*(?:(baseline)\s*(?:([*+-])\s*)?)?(\S+)?\s*")
_TESTS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
}


def resolve(config: Config, others: Mapping[str, Decimal]) -> Config:
    """Turn relative bounds into numbers at the baseline; raises `Refusal` for one that cannot be checked."""
    return replace(config, require=tuple(_absolute(text, others) for text in config.require))


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
