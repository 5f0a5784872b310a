"""The `next` object: what an agent that forgot everything needs, and no more."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from autoresearch.guidance import nextstep
from autoresearch.kernel.core import fold, jsontext
from autoresearch.kernel.core.rows import Row
from autoresearch.kernel.core.settings import Config
from autoresearch.kernel.core.supervise import Spent

CONFIG = Config(goal="no any", scope="src", metric="errors", stop_condition="<= 3")


def log(*statuses: str) -> list[Row]:
    rows = [Row(0, "", "a1b2c3d", Decimal(9), "0", "-", "baseline", (), "initial")]
    return rows + [Row(n, "", "b2c3d4e", Decimal(9), "0", "-", s, (), f"try {n}") for n, s in enumerate(statuses, 1)]


def step(rows: list[Row], config: Config = CONFIG, spent: Spent = Spent(), mode: str = "loop"):  # noqa: B008 - frozen
    return nextstep.step(config, mode, fold.fold(rows, "lower", {}), rows, spent)


@pytest.mark.parametrize(
    ("rows", "config", "action", "reason"),
    [
        (log(), CONFIG, "continue", ""),
        (log("discard", "crash", "no-op"), CONFIG, "refine", "3 experiments"),
        (log(*["discard"] * 5), CONFIG, "pivot", "5 experiments"),
        (log("discard", "pivot", "discard", "pivot"), replace(CONFIG, web_search="enabled"), "search", "2 pivots"),
        (log("pivot", "pivot", "pivot"), CONFIG, "needs_human", "soft_blocked"),
        (log("blocked"), CONFIG, "needs_human", "blocked"),
        (log("discard"), replace(CONFIG, iterations=1), "stop", "iteration_cap_reached"),
        (log(*["discard"] * 5), replace(CONFIG, stop_condition="<= 9"), "stop", "goal_reached"),
    ],
)
def test_each_action_comes_with_its_reason_and_what_to_do(rows, config, action, reason):
    found = step(rows, config)
    assert found["action"] == action
    assert reason in found["reason"]
    assert found["do"]
    assert (found["goal"], found["scope"]) == ("no any", "src")


def test_the_last_iteration_is_an_experiment():
    rows = log(*["discard"] * 5)
    assert step(rows, replace(CONFIG, iterations=7))["action"] == "pivot"
    found = step(rows, replace(CONFIG, iterations=6))
    assert found["action"] == "continue" and "no pivot is recorded" in found["reason"]


def test_it_tells_the_last_rows_and_what_is_left():
    rows = [*log("discard", "no-op", "crash", "refine"), log("discard")[-1]._replace(iteration=5, worker="a")]
    config = replace(CONFIG, iterations=10, max_minutes=Decimal("7.5"), max_tokens=100, max_sessions=3)
    found = step(rows, config, Spent(minutes=2.0, tokens=30, sessions=1))
    assert found["last"] == ["2 no-op 9 try 2", "3 crash 9 try 3", "4 refine 9 try 4"]
    assert found["left"] == {"iterations": 6, "minutes": 6, "tokens": 70, "sessions": 2}
    assert "left" not in step(rows)
    state = fold.fold(rows, "lower", {})
    assert nextstep.left(config, state, Spent(99.0, 999, 99)) == {
        "iterations": 6,
        "minutes": 0,
        "tokens": 0,
        "sessions": 0,
    }


@pytest.mark.parametrize(
    ("status", "undone"), [("discard", True), ("crash", True), ("keep", False), ("no-op", False), ("refine", False)]
)
def test_it_says_when_the_edit_is_gone(status: str, undone: bool):
    told = step(log(status), replace(CONFIG, measured=True))["do"]
    assert told.startswith("The edit of 1 is undone") == undone
    assert ("--retry 1 runs it unchanged" in told) == (status == "crash")
    assert not step(log(status))["do"].startswith("The edit")


def test_it_stays_short_and_one_line_a_field_whatever_the_run_says():
    wild = "\x1b[31m漢\n" * 50_000
    rows = [row._replace(description=wild) for row in log(*["discard"] * 50)]
    found = step(rows, replace(CONFIG, goal=wild, scope=wild, iterations=10**6, max_tokens=10**9))
    texts = [found["goal"], found["scope"], found["reason"], *found["last"]]
    assert all(len(text.splitlines()) == 1 for text in texts if text)
    # A token of plain text is four characters or so; the whole answer has 400 for it.
    assert len(jsontext.dumps(found)) < 1000


def test_the_end_names_what_closes_the_books():
    rows, capped = log("keep"), replace(CONFIG, iterations=1)
    state = fold.fold(rows, "lower", {})
    assert "First run this: close it ;" in nextstep.step(capped, "fix", state, rows, Spent(), "close it")["do"]
    assert "First run" not in nextstep.step(CONFIG, "fix", state, rows, Spent(), "close it")["do"]
    assert "First run" not in step(rows, capped)["do"]


@pytest.mark.parametrize(("statuses", "told"), [(["discard"] * 4, False), (["no-op", "keep", *["discard"] * 3], True)])
def test_counts_come_when_they_are_to_be_told(statuses: list[str], told: bool):
    assert ("counts" in step(log(*statuses))) == told
    counts = step(log(*statuses), replace(CONFIG, iterations=1))["counts"]
    assert (counts["baseline"], counts["best"], counts["experiments"]) == (9, 9, len(statuses))
    assert counts["discards"] == statuses.count("discard") and counts["crashes"] == 0


@pytest.mark.parametrize(("spent", "left"), [(0.4, 60), (57.2, 2.8), (59.6, 0.4), (61.0, 0)])
def test_the_last_minutes_are_told_in_tenths(spent: float, left: float):
    found = step(log("discard"), replace(CONFIG, max_minutes=Decimal(60)), Spent(minutes=spent))
    assert found["left"]["minutes"] == left
