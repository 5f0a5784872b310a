"""The supervisor: each documented decision and reason, in the order in which they win."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from autoresearch.kernel.core import fold, supervise
from autoresearch.kernel.core.rows import Row
from autoresearch.kernel.core.settings import Config
from autoresearch.kernel.core.supervise import Spent

BASE = fold.fold([Row(0, "", "a1b2c3d", Decimal(9), "0", "-", "baseline", ("prod",), "x")], "lower", {})
CAPPED = Config(iterations=3, max_minutes=Decimal(10), max_tokens=100, max_sessions=2)


def judged(mode="loop", spent=Spent(), config=None, **changes) -> tuple[str, str]:  # noqa: B008 - frozen
    verdict = supervise.judge(config or CAPPED, mode, replace(BASE, **changes), spent)
    return verdict.decision, verdict.reason


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (judged(), ("relaunch", "none")),
        (judged(iteration=2), ("relaunch", "none")),
        (judged(iteration=3), ("stop", "iteration_cap_reached")),
        (judged("exec", iteration=4), ("stop", "exec_mode_completed")),
        (judged(spent=Spent(minutes=9.9, tokens=99, sessions=1)), ("relaunch", "none")),
        (judged(spent=Spent(minutes=10)), ("stop", "budget_exhausted")),
        (judged(spent=Spent(tokens=100)), ("stop", "budget_exhausted")),
        (judged(spent=Spent(sessions=2)), ("stop", "budget_exhausted")),
        (judged(pivot_count=2), ("relaunch", "none")),
        (judged(pivot_count=3), ("needs_human", "soft_blocked")),
        (judged(last_status="blocked"), ("needs_human", "blocked")),
        (judged(last_status="blocked", iteration=3, current_metric=Decimal(0)), ("needs_human", "blocked")),
        (judged(pivot_count=3, iteration=3), ("stop", "iteration_cap_reached")),
        (judged(config=Config(), iteration=10**6), ("relaunch", "none")),
    ],
)
def test_verdicts(found: tuple[str, str], expected: tuple[str, str]):
    assert found == expected


@pytest.mark.parametrize(
    ("mode", "config", "metric", "reached"),
    [
        ("loop", Config(stop_condition="<= 3"), "3", True),
        ("loop", Config(stop_condition="<= 3"), "3.0001", False),
        ("loop", Config(stop_condition="reaches 3", direction="higher"), "4", True),
        ("loop", Config(), "0", False),
        ("fix", Config(), "0", True),
        ("fix", Config(), "1", False),
        ("fix", Config(direction="higher"), "0", False),
        ("loop", Config(stop_condition="<= 3", required_stop_labels=("prod",)), "3", True),
        ("loop", Config(stop_condition="<= 3", required_stop_labels=("prod", "fast")), "3", False),
    ],
)
def test_the_goal_is_reached_by_the_retained_keep_with_all_stop_labels(mode, config, metric, reached):
    expected = ("stop", "goal_reached") if reached else ("relaunch", "none")
    assert judged(mode, config=config, current_metric=Decimal(metric)) == expected


def test_a_stop_condition_that_nobody_understands_is_handed_to_a_human() -> None:
    config = Config(direction="lower", stop_condition="when the moon is full")
    state = fold.fold([Row(0, "", "a1b2c3d", Decimal(5), "0", "-", "baseline", (), "")], "lower", {})
    verdict = supervise.judge(config, "loop", state, supervise.Spent())
    assert (verdict.decision, verdict.reason) == ("needs_human", "state_inconsistent")
