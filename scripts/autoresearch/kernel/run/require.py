"""Further numbers that a keep must satisfy: `p99_ms <= 250`, `rss_mb <= baseline*1.05`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal

from ..core import numbers
from ..core.settings import Config

TESTS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
}


def broken(config: Config, others: Mapping[str, Decimal]) -> str:
    """The first requirement that these numbers miss, in words, or ""."""
    for text in config.require:
        key, sign, bound = text.split(" ")
        if key not in others:
            return f"{key} was not printed"
        if not TESTS[sign](others[key], Decimal(bound)):
            return f"{key} is {numbers.plain(others[key])}, required {sign} {bound}"
    return ""
