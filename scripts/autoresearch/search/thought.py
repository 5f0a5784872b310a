"""What an experiment costs in this run: seconds of thought before it, seconds of measuring. Pure."""

from __future__ import annotations

from itertools import islice

from ..kernel.core.frozen import dataclass
from ..kernel.core.pace import epoch
from ..kernel.disk.journal import Log

LATEST = 300  # trials that the medians are of


@dataclass(frozen=True)
class Pace:
    """Medians over the latest trials, in seconds: from the end of one to the start of the next, and of one itself."""

    thinking: float = 0.0
    measuring: float = 0.0

    @property
    def ratio(self) -> float:
        """Seconds of thought for each one of measuring; 0 where nothing is known."""
        return self.thinking / self.measuring if self.measuring else 0.0


def of(log: Log) -> Pace:
    """The pace that the log tells; trials that the tool made by itself have no thought before them."""
    thinking: list[float] = []
    measuring: list[float] = []
    trials = list(islice(log.backwards("trial"), LATEST + 1))[::-1]
    before = epoch(next(log.backwards("start"), {}).get("at"))
    if len(trials) > LATEST:
        before = epoch(trials.pop(0).get("at"))
    for event in trials:
        end, took = epoch(event.get("at")), float(event.get("took") or event.get("seconds") or 0)
        measuring.append(took)
        if before and end and "own" not in event:
            thinking.append(max(0.0, end - took - before))
        before = end
    return Pace(_median(thinking), _median(measuring))


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2] if values else 0.0
