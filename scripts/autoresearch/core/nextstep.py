"""What comes next: the answer's `next` object, which re-anchors an agent that forgot everything. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from . import ladder, numbers, supervise
from .config import Config
from .fold import State
from .rows import Row
from .supervise import Spent
from .text import one_line

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
    "stop": "The run is over. Summarise: baseline, best, counts. Change nothing more.",
    "needs_human": "Stop and tell the user the reason. Change nothing more.",
}
_FIX_END = " Write the files of the fix: autoresearch_mode_log.py summary --dir FOLDER."

_UNDONE = ("discard", "crash")


def decide(config: Config, mode: str, state: State, rows: Sequence[Row], spent: Spent) -> tuple[str, str]:
    """The next action and its reason: the supervisor first, then the ladder."""
    verdict = supervise.judge(config, mode, state, spent)
    if verdict.decision == supervise.STOP:
        return "stop", f"{verdict.reason}: {verdict.detail}"
    if verdict.decision == supervise.HUMAN:
        return "needs_human", f"{verdict.reason}: {verdict.detail}"
    step = ladder.step(rows, config.web_search)
    return step.action, step.reason


def step(config: Config, mode: str, state: State, rows: Sequence[Row], spent: Spent) -> dict[str, Any]:
    """The `next` object: action, reason, the protocol that matters now, the anchor, the last rows, the budget left."""
    action, reason = decide(config, mode, state, rows, spent)
    undone = config.measured and bool(rows) and rows[-1].status in _UNDONE
    does = ("Your edit is undone, its patch is kept as evidence. " if undone else "") + _DO[action]
    does += _FIX_END if mode == "fix" and action in ("stop", "needs_human") else ""
    out: dict[str, Any] = {"action": action, "reason": reason, "do": does}
    out["goal"] = one_line(config.goal or f"{config.direction} {config.metric}", 100)
    out["scope"] = one_line(config.scope or ".", 60)
    out["last"] = [_brief(row) for row in [row for row in rows if row.is_main][-3:]]
    remaining = left(config, state, spent)
    if remaining:
        out["left"] = remaining
    return out


def _brief(row: Row) -> str:
    metric = "-" if row.metric is None else numbers.plain(row.metric)
    return f"{row.iteration} {row.status} {metric} {one_line(row.description, 40)}"


def left(config: Config, state: State, spent: Spent) -> dict[str, Any]:
    """What is left of each budget that the run has."""
    found: dict[str, float | None] = {
        "iterations": None if config.iterations is None else config.iterations - state.iteration,
        "minutes": None if config.max_minutes is None else round(float(config.max_minutes) - spent.minutes),
        "tokens": None if config.max_tokens is None else config.max_tokens - spent.tokens,
        "sessions": None if config.max_sessions is None else config.max_sessions - spent.sessions,
    }
    return {name: max(0, value) for name, value in found.items() if value is not None}
