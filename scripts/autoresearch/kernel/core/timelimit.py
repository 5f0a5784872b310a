"""How long a run may take: past the soft limit it is compared with the retained code, past the hard one it is ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .frozen import Any, dataclass

# Until a baseline tells how long a run takes, nothing may run longer than this (seconds).
FIRST = 1800.0
# What hangs is ended after this many times the slowest run so far, and not before these seconds.
HANG_TIMES, HANG_LEAST = 10.0, 300.0
# More than this many times the retained code's time is too slow; below the slack (seconds on a calm machine) it is no
# sign of anything.
SLOW_TIMES, SLACK = 2.0, 10.0
# Runs of either state that must agree before slowness counts: a neighbour that comes and goes hits one run, not all.
ROUNDS = 3


@dataclass(frozen=True)
class TimeLimit:
    """Seconds of one run: `hard` ends it, a run over `soft` (None: no run) is compared with the retained code."""

    hard: float
    soft: float | None = None

    def told(self) -> dict[str, float]:
        """The limits as answers tell them, in whole seconds."""
        found = {"ended_after_s": self.hard, "checked_for_slowness_after_s": self.soft}
        return {name: round(value) if value >= 10 else value for name, value in found.items() if value is not None}


def limit(asked: float | None, usual: float | None, slowest: float | None = None) -> TimeLimit:
    """The limits of a run: as asked, else by the `usual` seconds of a run and those of the slowest one so far."""
    if asked is not None:
        return TimeLimit(asked)
    if usual is None:
        return TimeLimit(FIRST)
    return TimeLimit(hang(max(usual, slowest or 0.0)), allowed(usual))


def hang(slowest: float) -> float:
    """Seconds after which something that has taken `slowest` seconds at most is taken to hang."""
    return max(HANG_LEAST, HANG_TIMES * slowest)


def allowed(seconds: float, crowd: float = 1.0) -> float:
    """Seconds that a run may take where the retained code takes so many and `crowd` processes want each core."""
    return max(SLOW_TIMES * seconds, seconds + SLACK * crowd)


def slower(mine: Sequence[float], theirs: Sequence[float], crowd: float = 1.0) -> bool:
    """Whether even the fastest of these runs is too slow beside the slowest of those of the retained code."""
    return min(mine) > allowed(max(theirs), crowd)


def too_slow(mine: Sequence[float], theirs: Sequence[float]) -> str:
    """The sentence about a candidate that is too slow."""
    return f"took {min(mine):.3g} s, the retained code {max(theirs):.3g} s in the same minutes; see --verify-timeout"


def slowest(events: Sequence[Mapping[str, Any]]) -> float | None:
    """Seconds of the slowest run of a retained state that the log's events tell of; None without any."""
    found = [float(event["slowest"]) for event in events if event.get("kind") == "trial" and "slowest" in event]
    sets = (event["samples"] for event in events if event.get("kind") == "samples")
    found += [float(sample["seconds"]) for samples in sets for sample in samples]
    return max(found, default=None)
