"""The supervisor's decision: relaunch, stop or hand over to a human. Pure; counters come in, a ruling goes out."""

from __future__ import annotations

from . import decision, numbers, pace
from .choices import HAND_OVER_AT
from .errors import Refusal
from .fold import State
from .frozen import dataclass
from .rulings import Ruling
from .settings import BUDGETS, Config, Setting

RELAUNCH, STOP, HUMAN = "relaunch", "stop", "needs_human"
OVER = (STOP, HUMAN)  # what ends the work, whoever said it


@dataclass(frozen=True)
class Spent:
    """What a run has used: active minutes (waiting excluded), tokens, sessions, money; `at` is now (epoch)."""

    minutes: float = 0.0
    tokens: int = 0
    sessions: int = 0
    money: float = 0.0
    at: float = 0.0
    kinds: tuple[int, ...] = ()  # tokens: input, cached (a part of input), output


def goal_reached(config: Config, mode: str, state: State) -> bool:
    """Whether the retained metric satisfies the stop condition and carries every required stop label."""
    condition = config.stop_at(mode)
    if condition is None or decision.missing_labels(config.required_stop_labels, state.current_labels):
        return False
    return condition.holds(state.current_metric)


def used(row: Setting, counted: int, spent: Spent) -> float:
    """What is used of a budget; `counted` experiments are."""
    return counted if row.name == "iterations" else float(getattr(spent, row.more["counts"]))


def budgets(config: Config, counted: int, spent: Spent) -> list[tuple[Setting, float, float]]:
    """Each budget that the run has: its row, what is used of it, and its limit."""
    given = ((row, getattr(config, row.name)) for row in BUDGETS)
    return [(row, used(row, counted, spent), float(limit)) for row, limit in given if limit is not None]


def exhausted(config: Config, spent: Spent) -> str | None:
    """Which budget is used up, that of experiments aside, in words, or None."""
    for row, taken, limit in budgets(config, 0, spent):
        if taken >= limit:
            return f"{round(taken, 2):.15g} of {limit:.15g} {row.unit} are used"
    if config.until and spent.at >= pace.epoch(config.until):
        return f"it is past {config.until}"
    return None


def judge(config: Config, mode: str, state: State, spent: Spent) -> Ruling:
    """The ruling on a sound run, stagnation aside."""
    answered = config.agreed
    if state.last_status == "blocked" and answered.get("iteration") != state.iteration:
        return Ruling(HUMAN, "blocked", "the last row is a hard blocker")
    try:
        reached = goal_reached(config, mode, state)
    except Refusal as refusal:  # only a log that another tool began can hold such a condition
        return Ruling(HUMAN, "state_inconsistent", str(refusal))
    if reached:
        return Ruling(STOP, "goal_reached", f"the retained metric satisfies {config.stop_at(mode)}")
    if config.iterations is not None and state.counted >= config.iterations:
        reason = "exec_mode_completed" if mode == "exec" else "iteration_cap_reached"
        return Ruling(STOP, reason, f"{state.counted} of {config.iterations} iterations are done")
    over = exhausted(config, spent)
    if over:
        return Ruling(STOP, "budget_exhausted", over)
    # Pivots that the user has heard of count no more, until a keep begins the count anew.
    heard = answered.get("pivots", 0) if answered.get("keeps") == state.keeps else 0
    if state.pivot_count - heard >= HAND_OVER_AT and state.lines >= min(config.side_lines, state.keeps):
        return Ruling(HUMAN, "soft_blocked", f"{state.pivot_count} pivots without a keep")
    return Ruling(RELAUNCH, "none", _going_on(config, mode, state))


def _going_on(config: Config, mode: str, state: State) -> str:
    """Why a run is not over, in words."""
    condition = config.stop_at(mode)
    missing = decision.missing_labels(config.required_stop_labels, state.current_labels)
    if condition is not None and condition.holds(state.current_metric):
        return f"the retained metric satisfies {condition}, but its keep lacks required labels: {', '.join(missing)}"
    goal = f", {condition} is not reached" if condition is not None else ""
    limit = "without a limit" if config.iterations is None else f"of {config.iterations}"
    return f"{state.iteration} iterations {limit} are done, retained is {numbers.plain(state.current_metric)}{goal}"


def terminal_reason(ruling: Ruling) -> str:
    """Why a run is over, `none` while it may go on."""
    return "none" if ruling.decision == RELAUNCH else ruling.reason
