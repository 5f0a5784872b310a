"""What comes next: the answer's `next` object, which re-anchors an agent that forgot everything. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ..kernel.core import numbers, pace, supervise
from ..kernel.core.fold import State
from ..kernel.core.rows import Row
from ..kernel.core.settings import Config
from ..kernel.core.supervise import Spent
from ..kernel.core.text import one_line
from . import ladder

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

_DO = {
    "continue": "Make ONE change in scope, then run autoresearch_run_trial.py again. Do not ask, do not commit.",
    "refine": "Record it: autoresearch_record_iteration.py --status refine --description 'what changes'. "
    "Read autoresearch_ideas.py list, then try a variant.",
    "pivot": "Record it: autoresearch_record_iteration.py --status pivot --description 'abandoned X, now Y'. "
    "Read lessons and references/pivot-protocol.md, then try a different kind of change.",
    "search": "Search the web once (references/web-search-protocol.md), record --status search, go on.",
    "stop": "The run is over. Summarise it from `counts`. Change nothing more.",
    supervise.HUMAN: "Stop and tell the user the reason. Change nothing more.",
}
_RECORDED = ("refine", "pivot", "search")
_UNDONE = ("discard", "crash")
_SUMMARY_EVERY = 5


def decide(config: Config, mode: str, state: State, rows: Sequence[Row], spent: Spent) -> tuple[str, str]:
    """The next action and its reason: the supervisor first, then the ladder."""
    verdict = supervise.judge(config, mode, state, spent)
    if verdict.decision == supervise.STOP:
        return "stop", f"{verdict.reason}: {verdict.detail}"
    if verdict.decision == supervise.HUMAN:
        return supervise.HUMAN, f"{verdict.reason}: {verdict.detail}"
    step = ladder.step(rows, config.web_search)
    if step.action == supervise.HUMAN:  # the supervisor knows of an answer of the user, or of a side line
        return "continue", step.reason
    if step.action in _RECORDED and config.iterations is not None and config.iterations - state.counted <= 1:
        # Its row would use up the last iteration, and nothing would be tried.
        return "continue", f"{step.reason}: try another way; one iteration is left, so no {step.action} is recorded"
    return step.action, step.reason


def step(
    config: Config, mode: str, state: State, rows: Sequence[Row], spent: Spent, closing: str = ""
) -> dict[str, Any]:
    """The `next` object: action, reason, the protocol that matters now, the anchor, the last rows, the budget left.

    `closing` is the command that ends what goes with the run, "" where nothing does. `counts` are there when they are
    to be told: at the end, and at every fifth iteration.
    """
    action, reason = decide(config, mode, state, rows, spent)
    undone = config.measured and bool(rows) and rows[-1].status in _UNDONE
    does = _undone(rows[-1]) if undone else ""
    does += f"First run this: {closing} ; then: " if closing and action in supervise.OVER else ""
    does += _DO[action]
    out: dict[str, Any] = {"action": action, "reason": reason, "do": does}
    out["goal"] = one_line(config.goal or f"{config.direction} {config.metric}", 100)
    out["scope"] = one_line(config.scope or ".", 160)
    out["last"] = [_brief(row) for row in [row for row in rows if row.is_main][-3:]]
    remaining = left(config, state, spent)
    if remaining:
        out["left"] = remaining
    if action in supervise.OVER or (state.iteration and state.iteration % _SUMMARY_EVERY == 0):
        out["counts"] = counts(state)
    return out


def _undone(row: Row) -> str:
    """What became of an edit that is not kept; one that crashed by no fault of its own may be run again."""
    kept = "its patch is kept as evidence"
    again = f"autoresearch_run_trial.py --retry {row.iteration} runs it unchanged"
    return f"The edit of {row.iteration} is undone, {again if row.status == 'crash' else kept}. "


def counts(state: State) -> dict[str, Any]:
    """What a summary tells of a run: where it began, its best, how many experiments and what became of them."""
    tried = {name: getattr(state, name) for name in ("keeps", "discards", "crashes", "no_ops")}
    return {
        "baseline": state.baseline_metric,
        "best": state.best_metric,
        **({} if state.claimed == state.current_metric else {"retained_on_the_baselines_scale": state.claimed}),
        "experiments": sum(tried.values()),
        **{name: number for name, number in tried.items() if number or name != "no_ops"},
    }


def _brief(row: Row) -> str:
    metric = "-" if row.metric is None else numbers.plain(row.metric)
    return f"{row.iteration} {row.status} {metric} {one_line(row.description, 40)}"


def left(config: Config, state: State, spent: Spent) -> dict[str, Any]:
    """What is left of each budget that the run has; `minutes_until` are those of the wall clock, waiting included."""
    known = supervise.budgets(config, state.counted, spent)
    found = {row.more["counts"]: _rest(row.more["counts"], limit - used) for row, used, limit in known}
    if config.until:
        found["minutes_until"] = _rest("minutes", (pace.epoch(config.until) - spent.at) / 60)
    return {name: max(0, value) for name, value in found.items()}


def _rest(unit: str, value: float) -> float:
    """What is left in whole numbers, money with cents, the last minutes with tenths: half a one is not none."""
    digits = 2 if unit == "money" else 1 if unit == "minutes" and value < 3 else None
    return round(value, digits)
