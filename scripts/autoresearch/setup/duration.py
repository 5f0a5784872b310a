"""How long a trial takes, as it is told before a run: what is likely, what is the most, when a hanging run is ended."""

from __future__ import annotations

from ..kernel import ports
from ..kernel.core.settings import Config
from ..kernel.run import exact

_THOUGHT = 300.0  # seconds that an edit may take to be thought of: a second look at it may take twice as long
_BUSY = 1.5  # times what the runs took just now: other programs come and go


def told(config: Config, hang: float) -> str:
    """The sentence; `hang` is the limit of one run in seconds."""
    likely, most = seconds(config)
    return (
        f"a trial takes about {_said(likely)}, at most {_said(most)}; a run that hangs is ended after {_said(hang)}: "
        "set no shorter limit on the command"
    )


def seconds(config: Config) -> tuple[float, float]:
    """Seconds of a usual trial and of the longest: pairs of runs up to their number, parts of a failed edit tried."""
    run, guard = float(config.noise["seconds"]), float(config.noise.get("guard_seconds", 0))
    once = run + guard
    tests = sum(count(config) for count in ports.asked("measure", "tests"))
    if not exact.rule().by_pairs(config):
        parts = (tests + 1) * once if tests else 0.0
        bounded = 2 * (2 * once + _THOUGHT) + once
        return once, _BUSY * (once + (min(parts, bounded) if config.salvage_runs is None else parts))
    most = float(config.max_runs or 0) * run
    return max(most / 3, run) + guard, _BUSY * (most + guard + (tests + 1) * max(guard, run if config.require else 0))


def _said(spent: float) -> str:
    """Whole seconds, from two minutes on whole minutes."""
    return f"{max(1, round(spent))} s" if spent < 120 else f"{round(spent / 60)} min"
