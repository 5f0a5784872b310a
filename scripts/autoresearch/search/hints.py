"""What an answer tells beside its row: kinds tried, the price of an experiment, a target that is nearly reached."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from ..kernel.core import numbers
from ..kernel.core.rows import Row
from ..kernel.run.context import Run
from . import memory, thought

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

NEAR = Decimal("0.9")  # of the way to the target
_KNOWN = 3  # trials from which on a median says something


def told(run: Run, row: Row, found: Mapping[str, Any]) -> dict[str, Any]:
    """Keys for the answer's `next`."""
    out: dict[str, Any] = {}
    due = found.get("action") in ("refine", "pivot")
    price = "" if due else price_of(run)
    if due:
        out["tried"] = memory.kinds(run)
    if price:
        out["price"] = _scarce(price, thought.of(run.log), found)
    target = raised(run)
    if target:
        out["target"] = target
    return out


def price_of(run: Run) -> str:
    """Thought against measuring, as medians, once there are some trials to tell it from."""
    known = thought.of_run(run)
    if run.state.iteration < _KNOWN or not known.measuring:
        return ""
    left = "" if known.affords(0) else ": over a tenth, so retries and profiles are left out"
    share = f"{known.share:.0%}".replace("%", " %")
    return f"{_time(known.thinking)} thought, {_time(known.measuring)} measured, {share} for the tool{left}"


def _scarce(price: str, known: thought.Pace, found: Mapping[str, Any]) -> str:
    """The price with what is left of the minutes, where an experiment as the others were no longer fits in."""
    left = found.get("left", {}).get("minutes")
    short = left is not None and 60 * float(left) < known.thinking + known.measuring
    return f"{price}: only a quicker one fits into the {left} min that are left" if short else price


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def raised(run: Run) -> str:
    """The next target, when nine tenths of the way to the agreed one are gone; as far again. None where that is 0, the
    least there is."""
    condition = run.config.stop_at(run.mode)
    state = run.state
    if condition is None or state.best_metric == state.baseline_metric:
        return ""
    way = numbers.gain(run.config.direction, condition.bound, state.baseline_metric)
    gone = numbers.gain(run.config.direction, state.current_metric, state.baseline_metric)
    is_lower = run.config.direction == "lower"
    if way <= 0 or gone < NEAR * way or state.current_metric == 0 or (is_lower and condition.bound == 0):
        return ""
    further = state.current_metric + max(way, gone) * (-1 if is_lower else 1)
    if is_lower and condition.bound > 0 >= further:
        further = min(state.current_metric, condition.bound) / 2
    if _is_whole(state.baseline_metric, state.current_metric, condition.bound):
        further = further.to_integral_value(ROUND_FLOOR if is_lower else ROUND_CEILING)
    share = min(100, int(100 * gone / way))
    return f"{share} % of the way to {condition} is gone: propose {numbers.plain(further)} for the next run"


def _is_whole(*values: Decimal) -> bool:
    """Whether a metric is a whole count, as far as these values tell."""
    return all(value == value.to_integral_value() for value in values)
