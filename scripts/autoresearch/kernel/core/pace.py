"""What an experiment costs in this run: seconds of thought before it, seconds of measuring; tokens in money. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .errors import Refusal
from .frozen import dataclass

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True)
class Pace:
    """Medians over the run's trials, in seconds: from the end of one to the start of the next, and of one itself."""

    thinking: float = 0.0
    measuring: float = 0.0

    @property
    def ratio(self) -> float:
        """Seconds of thought for each one of measuring; 0 where nothing is known."""
        return self.thinking / self.measuring if self.measuring else 0.0


def of(events: Iterable[Mapping[str, Any]]) -> Pace:
    """The pace that the log's events tell; trials that the tool made by itself have no thought before them."""
    thinking: list[float] = []
    measuring: list[float] = []
    before = 0.0
    for event in events:
        if event.get("kind") == "start":
            before = epoch(event.get("at"))
        if event.get("kind") != "trial":
            continue
        end, took = epoch(event.get("at")), float(event.get("took") or event.get("seconds") or 0)
        measuring.append(took)
        if before and end and "own" not in event:
            thinking.append(max(0.0, end - took - before))
        before = end
    return Pace(_median(thinking), _median(measuring))


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2] if values else 0.0


def epoch(text: Any) -> float:
    """Seconds since 1970 of `2026-03-25T01:02:03Z`, 0 for anything else."""
    from datetime import datetime, timezone

    try:
        return datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
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
