"""Whether a failed edit gets a second look. Asked after every trial, so what looks is loaded where there is one."""

from __future__ import annotations

from collections.abc import Sequence

from ..kernel.core.settings import Config
from ..kernel.run.context import Run
from ..kernel.run.intent import Intent
from ..kernel.run.judge import Verdict
from ..kernel.run.measure import Bench

MOST = 12  # tests, unless asked otherwise
# Under noise "the metric" cannot be told from one run, and the held-out check is asked once.
_UNDER_NOISE = ("guard", "require")
_EXACT = ("guard", "require", "confirm", "metric")


def look(run: Run, bench: Bench, note: Intent, verdict: Verdict, labels: Sequence[str]) -> tuple[Intent, Verdict]:
    """The note and the verdict to go on with: where the edit failed by its worth, those of a second look."""
    places = [place for place in note.places.values() if place.trial]
    wanted = _UNDER_NOISE if verdict.measurement.improves is not None else _EXACT
    if verdict.failed not in wanted or len(places) != 1 or not most(run):
        return note, verdict
    from . import second_look

    return second_look.look(run, bench, note, verdict, labels)


def most(run: Run) -> int:
    """Tests that a second look may cost."""
    return tests(run.config)


def tests(config: Config) -> int:
    """Tests that a second look may cost, as it is agreed."""
    return MOST if config.salvage_runs is None else config.salvage_runs
