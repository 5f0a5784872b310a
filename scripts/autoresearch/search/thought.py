"""What an experiment costs in this run: seconds of thought before it, seconds of measuring. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice

from ..kernel.core.frozen import dataclass
from ..kernel.core.pace import epoch
from ..kernel.disk.journal import Log

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

    from ..kernel.run.context import Run

LATEST = 300  # trials that the medians are of
PAUSE, FAR = 1800.0, 10.0  # seconds, and times the usual gap, above which a gap is a pause
PRICE = 0.1  # of an experiment's time: more than that the tool does not take for what it may leave out


@dataclass(frozen=True)
class Pace:
    """Medians over the latest trials, in seconds: from the end of one to the start of the next, and of one itself.

    `total` is the time of all of them, thought included, `own` what of it the tool took for itself: what goes on around
    the checks of a trial, and stored attempts. The search for the good part of an edit measures what is kept and is
    none of it.
    """

    thinking: float = 0.0
    measuring: float = 0.0
    total: float = 0.0
    own: float = 0.0

    @property
    def ratio(self) -> float:
        """Seconds of thought for each one of measuring; 0 where nothing is known."""
        return self.thinking / self.measuring if self.measuring else 0.0

    @property
    def share(self) -> float:
        """What the tool took for itself, of all."""
        return self.own / self.total if self.total else 0.0

    def affords(self, seconds: float) -> bool:
        """Whether the tool may take so much more for itself."""
        return self.own + seconds <= PRICE * (self.total + seconds)


def of(log: Log, guard: float = 0.0) -> Pace:
    """The pace that the log tells; trials that the tool made by itself have no thought before them.

    `guard` is what the guard takes, in seconds. Between two trials that do not follow one another something else was
    done (a batch, a drift measured anew), and of that time nobody knows what was thought.
    """
    thinking: list[float] = []
    measuring: list[float] = []
    own = 0.0
    trials = list(islice(log.backwards("trial"), LATEST + 1))[::-1]
    before, last = epoch(next(log.backwards("start"), {}).get("at")), 0
    if len(trials) > LATEST:
        first = trials.pop(0)
        before, last = epoch(first.get("at")), int(first.get("iteration", 0))
    for event in trials:
        end, took = epoch(event.get("at")), float(event.get("took") or event.get("seconds") or 0)
        number = int(event.get("iteration", last + 1))
        measuring.append(took)
        own += took if "own" in event else _around(event, took, guard)
        if before and end and "own" not in event and number == last + 1:
            thinking.append(max(0.0, end - took - before))
        before, last = end, number
    thinking = _without_pauses(thinking)
    return Pace(_median(thinking), _median(measuring), sum(thinking) + sum(measuring), own)


def _without_pauses(gaps: list[float]) -> list[float]:
    """The gaps in which somebody worked: one of many times the usual length is the user away, or a limit waited for."""
    usual = sorted(gaps)[(len(gaps) - 1) // 2] if gaps else 0.0
    longest = max(PAUSE, FAR * usual)
    return [gap for gap in gaps if gap <= longest]


def of_run(run: Run) -> Pace:
    """The pace of a run."""
    return of(run.log, float(run.config.noise.get("guard_seconds") or 0))


def _around(event: Mapping[str, Any], took: float, guard: float) -> float:
    """Seconds of a trial that none of its checks took; none are known where a held-out check ran, for that is not
    timed."""
    if "confirm" in event:
        return 0.0
    told = event.get("told")
    parts = float(told.get("salvage_seconds") or 0) if isinstance(told, Mapping) else 0.0
    waited = re.search(r"(\d+) s were waited for", str(event.get("why", "")))
    parts += float(waited[1]) if waited else 0.0
    return max(0.0, took - float(event.get("seconds") or 0) - parts - guard)


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2] if values else 0.0
