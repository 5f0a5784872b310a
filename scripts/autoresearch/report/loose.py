"""Reading what others wrote: a part of the wrong type counts as missing, text is bounded and cleaned."""

from __future__ import annotations

import calendar
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ..kernel.core import numbers
from ..kernel.core.text import one_line

_OTHERS = 20


def text(data: Mapping[str, Any], key: str, limit: int) -> str:
    """One clean line of at most `limit` characters."""
    value = data.get(key)
    return one_line(value, limit) if isinstance(value, str) else ""


def items(value: Any) -> list[Any]:
    """A list, else an empty one."""
    return value if isinstance(value, list) else []


def decimal(value: Any) -> Decimal | None:
    """A finite number however it was written, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    written = str(value)
    if len(written) > 200 or not numbers.is_number(written):
        return None
    found = Decimal(written)
    return found if not found or abs(found.adjusted()) <= 100 else None


def interval(value: Any) -> tuple[Decimal, Decimal] | None:
    """Two numbers, else None."""
    ends = [decimal(end) for end in items(value)]
    return (ends[0], ends[1]) if len(ends) == 2 and ends[0] is not None and ends[1] is not None else None


def numbers_by_name(value: Any) -> tuple[tuple[str, Decimal], ...]:
    """The numbers of an object, at most 20 of them."""
    if not isinstance(value, dict):
        return ()
    pairs = [(one_line(str(name), 60), decimal(number)) for name, number in list(value.items())[:_OTHERS]]
    return tuple((name, number) for name, number in pairs if number is not None)


def epoch(written: str) -> float | None:
    """A time as the artifacts write it, in seconds since the epoch."""
    try:
        return float(calendar.timegm(time.strptime(written, "%Y-%m-%dT%H:%M:%SZ")))
    except ValueError:
        return None
