"""The vertical axis of a trajectory: which values it spans, where a value stands, which round values it names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LOG_FROM = 20  # values of one sign that span a factor like this are told apart on a logarithmic axis
REACH = 0.5  # a discarded value further out than this share of the retained span is drawn at the edge
MARGIN = 0.07


@dataclass(frozen=True)
class Scale:
    """An axis from `low` to `high` (metric units, low < high), linear or logarithmic."""

    low: float
    high: float
    log: bool = False

    def at(self, value: float) -> float:
        """Where `value` stands: 0 at `low`, 1 at `high`; values beyond an end stand at that end."""
        value = min(max(value, self.low), self.high)
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def holds(self, value: float) -> bool:
        """Whether `value` lies within the axis."""
        return self.low <= value <= self.high

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Round values within the axis with their labels, about `most` of them."""
        return _log_ticks(self, most) if self.log else _ticks(self.low, self.high, most)


def fitted(firm: Sequence[float], loose: Sequence[float]) -> Scale:
    """An axis that spans every `firm` value, and the `loose` ones that do not lie too far off."""
    low, high = min(firm), max(firm)
    reach = REACH * (high - low) or _typical_distance(low, loose)
    near = [value for value in loose if low - reach <= value <= high + reach]
    low, high = min([low, *near]), max([high, *near])
    if low > 0 and high / low >= LOG_FROM:
        factor = (high / low) ** MARGIN
        return Scale(low / factor, high * factor, True)
    margin = (high - low) * MARGIN or abs(low) * MARGIN or 1.0
    return Scale(max(0.0, low - margin) if low >= 0 else low - margin, high + margin)


def _typical_distance(center: float, loose: Sequence[float]) -> float:
    """Without a keep the span comes from the discards: four fifths of them are inside."""
    distances = sorted(abs(value - center) for value in loose)
    return distances[(len(distances) * 4 - 1) // 5] if distances else 0.0


def _ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    rough = (high - low) / max(1, most)
    power = math.floor(math.log10(rough))
    step = next(m * 10.0**power for m in (1, 2, 5, 10) if m * 10.0**power >= rough * 0.999)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [(n * step, label(n * step, step)) for n in range(first, min(last, first + 2 * most) + 1)]


def _log_ticks(scale: Scale, most: int) -> list[tuple[float, str]]:
    powers = range(math.floor(math.log10(scale.low)), math.ceil(math.log10(scale.high)) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        found = [m * 10.0**power for power in powers for m in digits if scale.holds(m * 10.0**power)]
        if len(found) <= most:
            break
    keep = found[:: math.ceil(len(found) / most)] if len(found) > most else found
    return [(value, label(value, value)) for value in keep]


def label(value: float, step: float) -> str:
    """A tick's value as finely as its `step` asks for, short enough for the margin."""
    size = abs(value)
    if not size:
        return "0"
    if size >= 1e9 or size < 1e-4:
        return f"{value:.3g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e").replace("-", "−")
    if size >= 1e6:
        return f"{value / 1e6:.4g}M".replace("-", "−")
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:,.{places}f}".replace("-", "−")
