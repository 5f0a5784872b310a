"""The configuration: in and out of snapshot and header, ours and foreign, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from autoresearch.kernel.core import config, jsontext
from autoresearch.kernel.core.errors import Refusal
from autoresearch.kernel.core.settings import Config, RepoScope
from autoresearch.setup import opening

KEYS = (
    "goal scope metric direction verify guard iterations stop_condition rollback_policy parallel_mode web_search "
    "session_mode required_keep_labels required_stop_labels repos"
).split()
FULL = Config(
    goal="no any",
    scope="src",
    metric="errors",
    direction="higher",
    verify="grep -c  'a\tb'\nx \u2028",
    guard="true",
    iterations=10,
    stop_condition=">= 3",
    execution_policy="workspace_write",
    required_keep_labels=("a", "b"),
    repos=(RepoScope("/r", "src", "primary"), RepoScope("/c", "lib", "companion")),
    max_minutes=Decimal("1.5"),
    alpha=Decimal("0.01"),
    isolation="branch",
    extra={"theirs": {"x": [1, Decimal("0.1")]}},
)
HEADER = {
    "metric_direction": "higher",
    "mode": "loop",
    "parallel": "parallel",
    "web_search": "enabled",
    "goal": "no any",
    "iterations": "10",
    "required_keep_labels": "Prod, b",
    "repos_json": '[{"path": "/r", "scope": "src", "role": "primary"}, {"path": "/c"}]',
    "repos": "3 of them",
    "session_mode": "odd",
    "environment": "cpu=8",
}


def test_the_object_has_the_documented_keys():
    assert sorted(Config().to_dict()) == sorted(KEYS)
    assert "execution_policy" in replace(FULL).to_dict()
    assert Config(measured=True).to_dict().keys() > {*KEYS, "alpha", "noise", "protect"}


@pytest.mark.parametrize("measured", [True, False])
def test_it_reads_back_from_the_snapshot_and_from_the_header(measured: bool):
    written = replace(FULL, measured=measured)
    assert config.from_dict(jsontext.loads(jsontext.dumps(written.to_dict()))) == written
    head = opening.header(written, "loop", "tag", "cpu=8")
    assert config.from_header(head) == written
    assert list(head)[:5] == ["metric_direction", "mode", "run_tag", "parallel", "web_search"]


def test_a_foreign_header_is_enough():
    found = config.from_header(HEADER)
    assert (found.direction, found.parallel_mode, found.web_search) == ("higher", "parallel", "enabled")
    assert (found.goal, found.iterations, found.required_keep_labels) == ("no any", 10, ("prod", "b"))
    assert found.companions == ()
    assert [repo.path for repo in found.repos] == ["/r", "/c"]
    assert (found.session_mode, found.measured) == ("foreground", False)
    assert config.from_header({}) == Config()


@pytest.mark.parametrize(
    "head", [{"config_json": "{"}, {"config_json": "[]"}, {"repos_json": "5"}, {"repos_json": "x"}, {"iterations": "x"}]
)
def test_an_unusable_header_is_refused(head: dict[str, str]):
    with pytest.raises(Refusal):
        config.from_header(head)


def test_a_foreign_snapshot_adds_to_the_header_and_keeps_its_unknown_keys():
    known = config.from_dict({"verify": "make", "direction": "lower", "goal": "more", "theirs": 1})
    found = config.merge(config.from_header(HEADER), known, authoritative=False)
    assert (found.verify, found.goal, found.iterations) == ("make", "more", 10)
    assert found.direction == "higher", "the log is folded by its header"
    assert found.to_dict()["theirs"] == 1
    assert config.merge(found, None, authoritative=False) is found


def test_our_own_header_is_the_truth_but_for_the_session():
    edited = config.from_dict({"verify": "echo 0", "session_mode": "background", "theirs": 1})
    found = config.merge(replace(FULL, extra={}), edited, authoritative=True)
    assert (found.verify, found.session_mode, found.extra) == (FULL.verify, "background", {"theirs": 1})


@pytest.mark.parametrize(
    "data",
    [
        {"repos": 5},
        {"repos": [{}]},
        {"repos": ["x"]},
        {"required_keep_labels": 5},
        {"iterations": "ten"},
        {"iterations": [1]},
        {"alpha": "nan"},
        {"max_minutes": {}},
    ],
)
def test_unusable_values_are_refused_by_name(data: dict[str, Any]):
    with pytest.raises(Refusal, match=next(iter(data)).split("_")[0]):
        config.from_dict(data)


def test_nulls_and_empty_text_are_absent():
    assert config.from_dict(dict.fromkeys(KEYS)) == Config()
    assert Config().to_dict()["verify"] is None


def test_fix_mode_that_lowers_stops_at_zero_by_itself():
    assert str(Config().stop_at("fix")) == "<= 0"
    assert Config(direction="higher").stop_at("fix") is None
    assert Config().stop_at("loop") is None
    assert str(Config(stop_condition="below 5").stop_at("fix")) == "< 5"
