"""What an answer tells beside its row: kinds tried, the price of an experiment, a target that is nearly reached."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

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
        out["price"] = price
    target = raised(run)
    if target:
        out["target"] = target
    return out


def price_of(run: Run) -> str:
    """Thought against measuring, as medians, once there are some trials to tell it from."""
    known = thought.of(run.log)
    if run.state.iteration < _KNOWN or not known.measuring:
        return ""
    return f"{_time(known.thinking)} thought, {_time(known.measuring)} measured"


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def raised(run: Run) -> str:
    """The next target, when nine tenths of the way to the agreed one are gone; as far again."""
    condition = run.config.stop_at(run.mode)
    state = run.state
    if condition is None or state.best_metric == state.baseline_metric:
        return ""
    way = numbers.gain(run.config.direction, condition.bound, state.baseline_metric)
    gone = numbers.gain(run.config.direction, state.current_metric, state.baseline_metric)
    if way <= 0 or gone < NEAR * way or state.current_metric == 0:
        return ""
    step = max(way, gone) * (1 if run.config.direction == "higher" else -1)
    further = state.current_metric + step
    if run.config.direction == "lower" and state.baseline_metric > 0 and further <= 0:
        further = state.current_metric / 2
    share = min(100, int(100 * gone / way))
    return f"{share} % of the way to {condition} is gone: propose {numbers.plain(further)} for the next run"
