"""Times of the log as numbers, tokens in money. Pure."""

from __future__ import annotations

import re

from .errors import Refusal
from .frozen import Any


def epoch(text: Any) -> float:
    """Seconds since 1970 of `2026-03-25T01:02:03Z`, 0 for anything else."""
    from datetime import datetime

    written = str(text) if re.fullmatch(r"\d{4}(?:-\d\d){2}T(?:\d\d:){2}\d\dZ", str(text), re.ASCII) else ""
    try:
        return datetime.fromisoformat(f"{written[:-1]}+00:00").timestamp()
    except ValueError:
        return 0.0


def prices(text: str) -> tuple[float, ...]:
    """Money for a million tokens: input, cached input, output. Raises `Refusal` for anything else."""
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if len(found) != 3 or not all(0 <= price < 1e9 for price in found):
        raise Refusal(f"price is {text[:40]!r}, expected INPUT,CACHED,OUTPUT for a million tokens: 1.25,0.125,10")
    return found


TOKENS = ("input", "cached", "output")  # the kinds; `cached` is a part of `input`


def money(price: str, kinds: tuple[int, ...]) -> float:
    """What so many tokens of each kind cost; 0 without a price."""
    if not price:
        return 0.0
    fresh = (kinds[0] - kinds[1], *kinds[1:])
    return sum(count * rate for count, rate in zip(fresh, prices(price))) / 1e6
