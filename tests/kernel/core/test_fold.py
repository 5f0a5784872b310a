"""The fold: each row of the documented table, and what holds for every sound log."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from autoresearch.kernel.core import fold
from autoresearch.kernel.core.fold import State
from autoresearch.kernel.core.rows import Row
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.core import logs

COUNTER = {"keep": "keeps", "discard": "discards", "crash": "crashes", "no-op": "no_ops", "blocked": "blocked"}
DIRECTION = st.sampled_from(["lower", "higher"])


def row(iteration: int, status: str, metric: str | None = "5", commit: str = "ccccccc", label: str = "x") -> Row:
    return Row(iteration, "", commit, None if metric is None else Decimal(metric), "0", "-", status, (label,), "d")


BASE = row(0, "baseline", "10", "aaaaaaa", "base")
# Two discards, a pivot and a refine come before, so that every reset shows.
BEFORE = (BASE, row(1, "discard"), row(2, "discard"), row(3, "pivot"), row(4, "refine"))


def after(status: str, metric: str | None = "5", direction: str = "lower") -> tuple[State, dict[str, Any]]:
    """The state after one more row, and what it changed beside the fields that every row sets."""
    old = fold.fold(BEFORE, direction, {})
    new = fold.fold((*BEFORE, row(5, status, metric)), direction, {})
    always = ("iteration", "last_status", "last_trial_commit", "last_trial_metric", "last_trial_labels")
    fields = {name: value for name, value in new.to_dict().items() if name not in always}
    return new, {name: value for name, value in fields.items() if value != old.to_dict()[name]}


RETAINED = {"current_metric": Decimal(5), "last_commit": "ccccccc", "current_labels": ("x",)}
BEST = {"best_metric": Decimal(5), "best_iteration": 5}


@pytest.mark.parametrize(
    ("status", "changed"),
    [
        ("keep", {**RETAINED, **BEST, "keeps": 1, "consecutive_discards": 0, "pivot_count": 0}),
        ("discard", {"discards": 3, "consecutive_discards": 4}),
        ("crash", {"crashes": 1, "consecutive_discards": 4}),
        ("no-op", {"no_ops": 1, "consecutive_discards": 4}),
        ("refine", {"consecutive_discards": 4}),
        ("pivot", {"pivot_count": 2}),
        ("search", {}),
        ("blocked", {"blocked": 1}),
        ("drift", {**RETAINED, **BEST, "consecutive_discards": 0}),
    ],
)
def test_the_table_row_by_row(status: str, changed: dict[str, Any]):
    state, found = after(status)
    assert found == changed
    assert (state.iteration, state.last_status) == (5, status)
    assert (state.last_trial_commit, state.last_trial_metric, state.last_trial_labels) == (
        "ccccccc",
        Decimal(5),
        ("x",),
    )


@pytest.mark.parametrize("status", ["keep", "drift"])
def test_best_moves_only_when_better(status: str):
    assert not after(status, "12")[1].keys() & BEST.keys()
    assert not after(status, "10")[1].keys() & BEST.keys()
    assert after(status, "12", "higher")[1]["best_metric"] == 12


def test_measuring_again_costs_no_iteration_and_moves_no_total():
    rows = [BASE, row(1, "drift", "12"), row(2, "keep", "6"), row(3, "drift", "9"), row(4, "keep", "4.5")]
    state = fold.fold(rows, "lower", {})
    assert (state.counted, state.iteration) == (2, 4)
    assert (state.baseline_metric, state.current_metric, state.claimed) == (Decimal(10), Decimal("4.5"), Decimal("2.5"))
    taken = fold.fold([*rows, row(5, "drift", "9")], "lower", {}, {5: (4, None)})
    assert taken.claimed == 5  # what was taken back is no part of the total
    below = fold.fold([row(0, "baseline", "0"), row(1, "drift", "1"), row(2, "keep", "-1")], "lower", {})
    assert below.claimed == -2


def test_a_row_without_a_metric_shows_the_retained_one():
    assert after("pivot", None)[0].last_trial_metric == 10


def test_the_state_has_the_documented_keys():
    assert (
        list(fold.fold([BASE], "lower", {}).to_dict())
        == (
            "iteration baseline_metric best_metric best_iteration current_metric current_labels last_commit "
            "last_status last_trial_commit last_trial_metric last_trial_labels last_repo_commits "
            "last_trial_repo_commits keeps discards crashes no_ops blocked consecutive_discards pivot_count line"
        ).split()
    )


def test_repo_commits_are_those_of_the_retained_and_of_the_last_row():
    commits = {0: {"p": "0"}, 1: {"p": "1"}, 2: {"p": "2"}}
    state = fold.fold([BASE, row(1, "keep"), row(2, "discard")], "lower", commits)
    assert (state.last_repo_commits, state.last_trial_repo_commits) == ({"p": "1"}, {"p": "2"})
    state = fold.fold([BASE, row(1, "keep"), row(2, "discard"), row(3, "pivot")], "lower", commits)
    assert (state.last_repo_commits, state.last_trial_repo_commits) == ({"p": "1"}, {"p": "1"})
    assert fold.with_primary(state, "/r").last_repo_commits == {"/r": state.last_commit, "p": "1"}


@pytest.mark.parametrize(
    ("unsound", "problem"),
    [
        ([], "no rows"),
        ([row(0, "keep")], "baseline"),
        ([row(1, "baseline")], "baseline"),
        ([row(0, "baseline", None)], "baseline"),
        ([BASE._replace(worker="a")], "baseline"),
        ([BASE, row(2, "keep")], "row 2"),
        ([BASE, row(1, "keep"), row(1, "keep")], "row 1"),
        ([BASE, row(1, "baseline")], "row 1"),
        ([BASE, row(1, "keep", None)], "no metric"),
        ([BASE, row(1, "drift", None)], "no metric"),
    ],
)
def test_an_unsound_log_is_named(unsound: list[Row], problem: str):
    with pytest.raises(ValueError, match=problem):
        fold.fold(unsound, "lower", {})


def table(state: State, row: Row, direction: str) -> dict[str, Any]:
    """One row of the documented table, applied to a state: the rule written a second time, step by step."""
    new = state.to_dict()
    counter = COUNTER.get(row.status)
    if counter:
        new[counter] += 1
    if row.status in ("discard", "crash", "no-op", "refine"):
        new["consecutive_discards"] += 1
    if row.status == "pivot":
        new["pivot_count"] += 1
    if row.status == "keep":
        new["pivot_count"] = 0
    if row.status in ("keep", "drift"):
        assert row.metric is not None
        new.update(current_metric=row.metric, current_labels=row.labels, last_commit=row.commit)
        new["consecutive_discards"] = 0
        best = min if direction == "lower" else max
        if best(row.metric, state.best_metric) != state.best_metric:
            new.update(best_metric=row.metric, best_iteration=row.iteration)
    shown = new["current_metric"] if row.metric is None else row.metric
    new.update(iteration=row.iteration, last_status=row.status, last_trial_commit=row.commit)
    new.update(last_trial_metric=shown, last_trial_labels=row.labels)
    return new


@given(logs.valid_logs(), DIRECTION)
@settings(max_examples=50)
def test_the_fold_of_a_prefix_and_then_each_row_is_the_fold_of_all(log: tuple[Row, ...], direction: str):
    mains = [row for row in log if row.is_main]
    for number in range(1, len(mains)):
        before = fold.fold(fold.prefix(log, number - 1), direction, {})
        now = fold.fold(fold.prefix(log, number), direction, {})
        assert now.to_dict() == table(before, mains[number], direction)
    assert fold.fold(fold.prefix(log, len(mains) - 1), direction, {}) == fold.fold(log, direction, {})


@given(logs.valid_logs(), DIRECTION)
@settings(max_examples=50)
def test_counters_add_up_and_worker_rows_do_not_count(log: tuple[Row, ...], direction: str):
    mains = [row for row in log if row.is_main]
    state = fold.fold(log, direction, {})
    counted = Counter(row.status for row in mains)
    assert {name: getattr(state, name) for name in COUNTER.values()} == {
        name: counted[status] for status, name in COUNTER.items()
    }
    assert state == fold.fold(mains, direction, {})
    assert state.iteration == len(mains) - 1
    ever = [row.metric for row in mains if row.status in ("baseline", "keep", "drift") and row.metric is not None]
    assert state.best_metric == (min(ever) if direction == "lower" else max(ever))
    assert state.baseline_metric == mains[0].metric


@given(logs.valid_logs(), DIRECTION, st.data())
@settings(max_examples=50)
def test_a_snapshot_agrees_with_its_own_state_and_with_no_other(
    log: tuple[Row, ...], direction: str, data: st.DataObject
):
    state = fold.fold(log, direction, {})
    told = state.to_dict()
    assert fold.differing(told, state) == []
    name = data.draw(st.sampled_from([name for name in fold.FIELDS if not name.endswith("repo_commits")]))
    assert fold.differing({key: value for key, value in told.items() if key != name}, state) == []
    wrong = data.draw(st.sampled_from([None, "other", -12345, [1], {"a": 1}, True]))
    same = wrong is None and (told[name] == () or told[name] == "-")
    assert fold.differing({**told, name: wrong}, state) == ([] if same or wrong == told[name] else [name])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("abc1234", "abc1234", True),
        ("abc1234", "abc1234def", True),
        ("abc1234def", "abc1234", True),
        ("abc123", "abc1234", False),
        ("-", "abc1234", False),
        ("-", "-", True),
        ("abc1235", "abc1234def", False),
    ],
)
def test_abbreviated_commits_are_one_commit(one: str, other: str, same: bool):
    assert fold.same_commit(one, other) is same


def test_repo_commits_of_a_foreign_snapshot_hold_while_their_rows_do():
    state = fold.fold([BASE, row(1, "keep"), row(2, "discard")], "lower", {})
    known = {
        "iteration": 2,
        "last_commit": "ccccccc",
        "last_repo_commits": {"p": "1"},
        "last_trial_repo_commits": {"p": "2"},
    }
    mended = fold.with_foreign_commits(state, known)
    assert (mended.last_repo_commits, mended.last_trial_repo_commits) == ({"p": "1"}, {"p": "2"})
    later = fold.fold([BASE, row(1, "keep"), row(2, "discard"), row(3, "discard")], "lower", {})
    mended = fold.with_foreign_commits(later, known)
    assert (mended.last_repo_commits, mended.last_trial_repo_commits) == ({"p": "1"}, {})
    kept = fold.fold([BASE, row(1, "keep"), row(2, "discard"), row(3, "keep", commit="ddddddd")], "lower", {})
    assert fold.with_foreign_commits(kept, known) == kept
    assert fold.with_foreign_commits(state, {"iteration": 2, "last_trial_repo_commits": "x"}) == state


def test_a_side_line_begins_its_own_count_and_leaves_no_best_behind():
    rows = [BASE, row(1, "keep", "8"), row(2, "keep", "7"), row(3, "pivot"), row(4, "pivot")]
    turns: dict[int, tuple[int, str | None]] = {5: (5, "b from 1")}
    rows += [row(5, "drift", "8"), row(6, "keep", "6"), row(7, "pivot")]
    grown = fold.fold(rows, "lower", {}, turns)
    assert (grown.line, grown.lines, grown.pivot_count) == ("b from 1", 1, 1)
    assert grown.best_metric == grown.current_metric == grown.claimed == 6
    left = fold.fold([*rows, row(8, "drift", "7")], "lower", {}, {**turns, 8: (5, "")})
    assert (left.line, left.lines, left.pivot_count, left.best_iteration) == ("", 1, 2, 2)
    assert left.best_metric == left.current_metric == left.claimed == 7
    adopted = fold.fold([*rows, row(8, "drift", "6")], "lower", {}, {**turns, 8: (8, "")})
    assert (adopted.line, adopted.pivot_count, adopted.best_iteration) == ("", 0, 6)
    back = fold.fold([*rows, row(8, "drift", "7")], "lower", {}, {**turns, 8: (5, None)})
    assert (back.line, back.lines) == ("b from 1", 1)
    assert back.best_metric == 7


def test_a_snapshot_with_binary_floats_agrees_with_the_digits_of_its_log():
    state = fold.fold((row(0, "baseline", "10.1"), row(1, "keep", "0.10000000000000001")), "lower", {})
    told = {"current_metric": Decimal("0.1"), "best_metric": "0.1", "baseline_metric": Decimal("10.1")}
    assert fold.differing(told, state) == []
    assert fold.differing({**told, "best_metric": Decimal("0.1000000001")}, state) == ["best_metric"]
