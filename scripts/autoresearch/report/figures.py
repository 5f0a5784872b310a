"""Figures as people read them: grouped numbers, shares, durations. Nothing here is ever read back."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from ..kernel.core import numbers

MINUS = "−"
_MOST_DIGITS = 15


def number(value: Decimal, spread: Decimal = Decimal(0)) -> str:
    """`value` with its thousands apart; under noise no finer than a tenth of `spread` (both in metric units)."""
    if spread > 0:
        finest = Decimal(1).scaleb(min(0, spread.adjusted() - 1))
        value = value.quantize(finest, ROUND_HALF_EVEN, numbers.EXACT)
    text = numbers.plain(value)
    digits = sum(char.isdigit() for char in text.lstrip("-0."))
    if digits > _MOST_DIGITS:
        return f"{value:.6e}".replace("-", MINUS)
    whole, point, fraction = text.partition(".")
    return f"{int(whole):,}{point}{fraction}".replace("-", MINUS) if value >= 0 else MINUS + number(-value)


def change(old: Decimal, new: Decimal) -> str:
    """The way from `old` to `new`: a share such as `-88.3 %`, or the plain difference where `old` is zero."""
    if old == new:
        return "±0 %" if old else "±0"
    difference = numbers.difference(new, old)
    sign = "+" if difference > 0 else MINUS
    if not old:
        return sign + number(abs(difference))
    share = abs(float(difference) / float(old)) * 100
    places = 0 if share >= 1000 else 1 if share >= 0.95 else 2 if share >= 0.095 else 3
    text = f"{share:,.{places}f}"
    return f"{sign}{text.rstrip('0') if share < 0.95 else text} %"


def signed(value: Decimal, spread: Decimal = Decimal(0)) -> str:
    """A difference with its sign."""
    text = number(value, spread)
    return text if value <= 0 else f"+{text}"


def duration(seconds: float) -> str:
    """A span of time in the one or two units that matter: `0.4 s`, `14 s`, `12 min`, `5 h 12 min`, `3 d 4 h`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s" if seconds >= 0.05 or seconds <= 0 else f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def count(amount: int, noun: str) -> str:
    """`1 experiment`, `17 experiments`."""
    return f"{amount:,} {noun}{'' if amount == 1 else 's'}"


def signs(text: str) -> str:
    """Comparisons as people write them."""
    return text.replace("<=", "≤").replace(">=", "≥")
