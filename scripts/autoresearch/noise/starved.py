"""A check that ended itself by a clock of its own (an alarm, a time limit of its tests) while it had no core."""

from __future__ import annotations

import re

from ..kernel.run.measure import Measurement, Sample
from ..machine import load

SHARE = 0.5  # of a run's time: less of it was processor time, and for more of it something waited for a core
_CLOCKS = (124, 142, -14)  # `timeout`, and an alarm as a shell and as a program end by it
_SAID = re.compile(r"\b(?:alarm clock|timed out|time-?out|TimeoutExpired|time limit|deadline)\b", re.I)


def told(found: Measurement) -> str:
    """Why such a trial has to be repeated, or "": the same code may end in time when it gets its core."""
    last = next((sample for sample in found.samples if sample.problem), None)
    if found.value is not None or last is None or not _is_starved(last):
        return ""
    return (
        f"postponed: {load.read()}, and the check ended by its own clock ({last.problem[:60]}) after "
        f"{last.seconds:.0f} s, of which it had a core for {float(last.cost['cpu']):.0f}; nothing was recorded and no "
        "iteration is charged, the edit stays: end what you run beside it, wait until the machine is calm and repeat "
        "the command"
    )


def _is_starved(sample: Sample) -> bool:
    by_clock = sample.exit_code in _CLOCKS or _SAID.search(sample.problem) is not None
    least = SHARE * sample.seconds
    waited, had = float(sample.load.get("waited", 0)), sample.cost.get("cpu")
    return by_clock and not sample.late and had is not None and float(had) < least < waited
