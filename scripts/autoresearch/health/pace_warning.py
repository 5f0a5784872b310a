"""Whether the check has become slower of late. Pure; a warning, for an edit or the machine may be the cause."""

from __future__ import annotations

from collections.abc import Sequence

FEW = 5  # trials that make an average
ONCE, OFTEN, ROW = 3.0, 2.0, 3  # times the average: of one trial, and of each of so many in a row
LEAST = 1.0  # seconds beyond the average; less is no sign of anything


def slower(seconds: Sequence[float]) -> str:
    """What to warn of by the seconds of a run in each trial, the oldest first; "" for nothing."""
    if _all_over(seconds, 1, ONCE):
        return f"the last trial took {seconds[-1]:.3g} s a run, more than {ONCE:g} times {_average(seconds, 1)}"
    if _all_over(seconds, ROW, OFTEN):
        took = ", ".join(f"{value:.3g}" for value in seconds[-ROW:])
        return f"the last {ROW} trials took {took} s a run, each more than {OFTEN:g} times {_average(seconds, ROW)}"
    return ""


def _before(seconds: Sequence[float], last: int) -> Sequence[float]:
    return seconds[-last - FEW : -last]


def _all_over(seconds: Sequence[float], last: int, times: float) -> bool:
    before = _before(seconds, last)
    usual = sum(before) / FEW
    return len(before) == FEW and all(value > max(times * usual, usual + LEAST) for value in seconds[-last:])


def _average(seconds: Sequence[float], last: int) -> str:
    return f"the {sum(_before(seconds, last)) / FEW:.3g} s of the {FEW} before: the machine, or what was edited"
