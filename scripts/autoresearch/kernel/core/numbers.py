"""Exact decimals: parsing, printing, differences. Binary floats never enter a decision."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Context, Decimal

from .errors import Refusal

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_HALF = Decimal("0.5")
_MAX_DIGITS = 60
_MAX_EXPONENT = 100
# Wide enough that sums and differences of accepted numbers are never rounded.
EXACT = Context(prec=2 * (_MAX_DIGITS + _MAX_EXPONENT))


def is_number(text: str) -> bool:
    """Whether `text` is one plain finite decimal such as `47`, `-0.5` or `1e-3`."""
    return _NUMBER.fullmatch(text) is not None


def parse(text: str, what: str = "metric") -> Decimal:
    """`text` as an exact finite decimal; raises `Refusal` naming `what` for anything else."""
    text = text.strip()
    if not is_number(text):
        shown = text[:40]
        raise Refusal(f"{what} is {shown!r}, expected one finite decimal such as 47 or -0.5; correct it")
    value = Decimal(text)
    if len(value.as_tuple().digits) > _MAX_DIGITS or (value and abs(value.adjusted()) > _MAX_EXPONENT):
        raise Refusal(f"{what} has too many digits, expected at most {_MAX_DIGITS} within 1e±{_MAX_EXPONENT}; round it")
    return value


def plain(value: Decimal) -> str:
    """`value` in positional notation without trailing zeros: `47`, `0.005`, `-1.5`."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def signed(value: Decimal) -> str:
    """A difference with its sign: `+8`, `-6`, `0`."""
    return f"+{plain(value)}" if value > 0 else plain(value)


def difference(new: Decimal, old: Decimal) -> Decimal:
    """`new - old`, exact."""
    return EXACT.subtract(new, old)


def better(direction: str, new: Decimal, old: Decimal) -> bool:
    """Whether `new` strictly improves on `old` in `direction` (`lower` or `higher`)."""
    return new < old if direction == "lower" else new > old


def gain(direction: str, new: Decimal, old: Decimal) -> Decimal:
    """How much better `new` is than `old`, in metric units; negative when it is worse."""
    return difference(old, new) if direction == "lower" else difference(new, old)


def middle(a: Decimal, b: Decimal) -> Decimal:
    """The mean of two values, exact."""
    return EXACT.multiply(EXACT.add(a, b), _HALF)


def median(values: Sequence[Decimal]) -> Decimal:
    """The middle of `values`, or the mean of the middle two; raises IndexError without values."""
    ordered = sorted(values)
    return middle(ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2])
