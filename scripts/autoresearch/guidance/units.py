"""The way of the metric in the user's units: `the feed 63 → 17 ms`. Pure.

The unit is the last part of the metric's key or name (`p50_ms`). A percentage of a reference that is measured in turns
is told by what it stands for: the numbers `X` and `reference_X` that the check prints beside it.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..kernel.core import numbers
from ..kernel.core.frozen import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal

    from ..kernel.core.settings import Config

UNITS = {
    "ns": "ns",
    "us": "µs",
    "ms": "ms",
    "s": "s",
    "seconds": "s",
    "minutes": "min",
    "bytes": "bytes",
    "kb": "kB",
    "kib": "KiB",
    "mb": "MB",
    "mib": "MiB",
    "percent": "%",
    "pct": "%",
}
_TIMES, _REFERENCE = ("ns", "µs", "ms", "s", "min"), "reference_"
_DIGITS = 3  # significant ones of an answer


@dataclass(frozen=True)
class Way:
    """What moved, from where to where, and the unit ("" for a count)."""

    label: str
    first: Decimal
    now: Decimal
    unit: str
    direct: bool = True  # these are values of the metric itself

    def __str__(self) -> str:
        first, now = (short(value) for value in (self.first, self.now))
        return f"{self.label} {first} → {now}" + (f" {self.unit}" if self.unit else "")


def way(config: Config, first: Decimal, now: Decimal, others: Mapping[str, Decimal]) -> Way:
    """From the baseline to the retained state; `others` are the numbers beside the retained metric."""
    key = config.metric_key or config.metric
    stem, unit = split(key)
    label = config.metric if config.metric_key and config.metric != config.metric_key else stem
    pairs = [name for name in others if _REFERENCE + name in others] if unit == "%" else []
    if not pairs:
        return Way(label or _plain(unit) or "metric", first, now, unit)
    stem, unit = split(pairs[0])
    named = label if label and label != key else stem
    return Way(named or _plain(unit), others[_REFERENCE + pairs[0]], others[pairs[0]], unit, False)


def split(name: str) -> tuple[str, str]:
    """A name without its unit, and the unit: `p50_ms` is `p50` and `ms`."""
    stem, _, last = name.rpartition("_")
    unit = UNITS.get(last.lower(), "")
    return (stem, unit) if unit else (name, "")


def _plain(unit: str) -> str:
    return "time" if unit in _TIMES else "share" if unit == "%" else "size" if unit else ""


def short(value: Decimal) -> str:
    """With three digits, a whole number whole."""
    if value == value.to_integral_value() or not value:
        return numbers.plain(value)
    places = max(0, _DIGITS - 1 - value.adjusted())
    return numbers.plain(round(value, places) if places else value.to_integral_value())
