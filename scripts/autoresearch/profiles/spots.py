"""The top lines of a profile and how two profiles differ. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..kernel.core.frozen import dataclass
from ..kernel.core.text import one_line

SHOWN = 5  # lines of an answer
_WIDTH = 140
_SHARE = re.compile(r"^\s*(?P<share>\d+(?:\.\d+)?) ?%\s+(?P<name>\S.*)$")
_LINE_NUMBERS = re.compile(r":\d+\b")
_LEAST = 3.0  # per cent: a smaller move is none


@dataclass(frozen=True)
class HotSpot:
    """One line: its share of the whole in per cent, and the function with its place."""

    share: float
    name: str

    def __str__(self) -> str:
        return f"{self.share:.0f} % {self.name}"

    @property
    def key(self) -> str:
        """The name without line numbers, which move with any edit."""
        return _LINE_NUMBERS.sub("", self.name)


def parsed(text: str) -> tuple[HotSpot, ...]:
    """The lines `12.5 % NAME` of a profiler's output, largest first; none for output of another form."""
    found = (_SHARE.match(line) for line in text.splitlines())
    spots = (HotSpot(float(match["share"]), one_line(match["name"], _WIDTH)) for match in found if match)
    return tuple(sorted(spots, key=lambda spot: -spot.share))


def told(spots: Sequence[HotSpot], text: str) -> list[str]:
    """The top lines; of a form that is not known the first ones as they stand."""
    if spots:
        return [str(spot) for spot in spots[:SHOWN]]
    lines = [one_line(line, _WIDTH) for line in text.splitlines() if re.search(r"\w", line)]
    return lines[:SHOWN]


def moved(before: Iterable[HotSpot], after: Iterable[HotSpot]) -> list[str]:
    """What changed by three per cent or more, the largest first: `parse a.py 34 -> 12 %`."""
    old, new = _by_key(before), _by_key(after)
    moves = sorted(((new.get(key, 0) - old.get(key, 0), key) for key in {*old, *new}), key=lambda m: (-abs(m[0]), m[1]))
    return [f"{key} {old.get(key, 0):.0f} -> {new.get(key, 0):.0f} %" for by, key in moves if abs(by) >= _LEAST][:SHOWN]


def _by_key(spots: Iterable[HotSpot]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for spot in spots:
        sums[spot.key] = sums.get(spot.key, 0) + spot.share
    return sums
