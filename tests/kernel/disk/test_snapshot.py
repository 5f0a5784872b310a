"""The snapshot: how it relates to its log, and that no shape of it does harm."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from autoresearch.kernel.core import jsontext
from autoresearch.kernel.core.rows import Row
from autoresearch.kernel.disk import snapshot
from autoresearch.kernel.disk.journal import Events, Log
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.core import logs

HEADER = {"metric_direction": "lower", "run_tag": "tag"}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 99) | st.text(max_size=5) | logs.METRIC,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def log(*metrics: str) -> Log:
    rows = [Row(0, "", "a1b2c3d", Decimal(47), "0", "-", "baseline", (), "x")]
    rows += [
        Row(n, "", f"b2c3d4{n}", Decimal(metric), "-1", "-", "keep", ("l",), "x") for n, metric in enumerate(metrics, 1)
    ]
    return Log(HEADER, tuple(rows), Events())


def taken(of: Log) -> dict[str, Any]:
    """The snapshot that was written when the log was `of`, as it reads back."""
    found: dict[str, Any] = jsontext.loads(jsontext.dumps({"run_tag": "tag", "state": of.state.to_dict()}))
    return found


def test_it_is_equal_older_or_diverged():
    now = log("46.5", "40")
    assert snapshot.relation(taken(now), now) == "equal"
    assert snapshot.relation(taken(log("46.5")), now) == "older"
    assert snapshot.relation(taken(log()), now) == "older"
    assert snapshot.relation(taken(log("46.5", "40", "39")), now) == "diverged"
    assert snapshot.relation(taken(log("46.5", "41")), now) == "diverged"
    assert snapshot.relation(taken(log("46")), now) == "diverged"
    assert snapshot.relation({**taken(now), "run_tag": "other"}, now) == "diverged"


@given(logs.valid_logs(max_rows=8), st.data())
@settings(max_examples=50)
def test_the_snapshot_of_any_prefix_is_older_and_an_edited_one_diverges(rows: tuple[Row, ...], data: st.DataObject):
    whole = Log(HEADER, rows, Events())
    at = data.draw(st.integers(0, whole.state.iteration))
    old = taken(Log(HEADER, tuple(row for row in rows if row.iteration <= at), Events()))
    assert snapshot.relation(old, whole) == ("equal" if at == whole.state.iteration else "older")
    name = data.draw(st.sampled_from(["current_metric", "best_metric", "keeps", "pivot_count", "consecutive_discards"]))
    old["state"][name] += 1
    assert snapshot.relation(old, whole) == "diverged"


def test_a_foreign_snapshot_needs_no_more_than_is_documented():
    now = log("46.5")
    foreign = {
        "version": 1,
        "their_key": {"x": 1},
        "state": {
            "iteration": 1,
            "baseline_metric": 47,
            "current_metric": 46.5,
            "best_metric": "46.50",
            "best_iteration": 1,
            "last_status": "keep",
            "last_commit": "b2c3d41ffffffffffffffffffffffffffffffff",
            "last_repo_commits": {"/c": "1"},
            "keeps": 1,
            "their_counter": 5,
        },
    }
    assert snapshot.relation(json.loads(json.dumps(foreign)), now) == "equal"
    foreign["state"]["last_trial_labels"] = None  # type: ignore[index]
    assert snapshot.relation(foreign, now) == "diverged"


@pytest.mark.parametrize(
    "state", [None, [], {}, {"iteration": 1}, {"current_metric": 1}, {"iteration": "1", "current_metric": 46.5}]
)
def test_a_state_without_its_core_is_unusable_not_edited(state: Any):
    assert snapshot.relation({"state": state}, log("46.5")) == "unusable"


@given(st.dictionaries(st.sampled_from([*taken(log())["state"], "x"]), ANYTHING))
def test_no_shape_of_a_state_does_harm(state: dict[str, Any]):
    assert snapshot.relation({"state": state}, log("46.5")) in ("equal", "older", "diverged", "unusable")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "5", '{"version": 2}', '{"version": "1"}', '{"a": NaN}', "[" * 99_999, "\udcff"]
)
def test_what_cannot_be_read_is_a_value_error_and_tolerated_as_none(tmp_path: Path, text: str):
    path = tmp_path / "state.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError):
        snapshot.read(path)
    assert snapshot.tolerant(path) is None


def test_the_mark_of_an_editor_before_it_is_passed_over(tmp_path: Path):
    path = tmp_path / "state.json"
    path.write_bytes(b"\xef\xbb\xbf{}")
    assert snapshot.read(path) == {}


def test_a_folder_is_unreadable_and_no_file_is_none(tmp_path: Path):
    assert snapshot.read(tmp_path / "state.json") is None
    with pytest.raises(ValueError, match="directory"):
        snapshot.read(tmp_path)


def test_what_is_written_reads_back_with_unknown_keys_and_exact_numbers(tmp_path: Path):
    path = tmp_path / "deep" / "state.json"
    data = {"state": {"current_metric": Decimal("0.1")}, "theirs": [1, {"x": Decimal("1E-30")}]}
    snapshot.write(path, data)
    assert snapshot.read(path) == {"version": 1, **data}
    assert '"current_metric": 0.1' in path.read_text()
