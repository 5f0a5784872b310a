"""Repeats are told before anything runs; kinds tried, price and next target are told in answers."""

from __future__ import annotations

import re
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from autoresearch.kernel.core import stop_rules
from autoresearch.search import hints, thought

from tests.conftest import Ran
from tests.lab import Lab, refused

LOOP = "for item in items:\n    total = total + price_of(item) * count_of(item)\n"
SUM = "total = sum(price_of(item) * count_of(item) for item in items)\n"
OTHER = "".join(f"total_{n} = " + " + ".join(f"part_{n}_{k}" for k in range(9)) + "\n" for n in range(9))


def trial(lab: Lab, value: int, text: str, *flags: object) -> Any:
    lab.repo.write("src/code.py", text)
    return lab.trial(value, *flags, description=f"text {len(text)}")


def call(lab: Lab, name: str, verb: str, *flags: object) -> Ran:
    """Run a script whose first argument is a verb."""
    return lab.run_script(name, verb, "--repo", lab.path, *flags)


def started(lab: Lab, *flags: object) -> None:
    lab.repo.write("src/code.py", LOOP)
    lab.repo.commit("code")
    lab.init(*flags)


def test_what_a_keep_deleted_is_not_brought_back_unknowingly(lab: Lab):
    started(lab)
    assert trial(lab, 9, SUM)["status"] == "keep"
    lab.repo.write("src/code.py", LOOP)
    lab.value(8)
    said = refused(lab.try_out(), "brings back 2 lines that kept trial 1 deleted", "keep, -1", "--knowing")
    assert "nothing was run" in said
    assert (lab.repo.read("src/code.py"), len(lab.rows())) == (LOOP, 2)
    assert lab.trial(None, "--knowing")["status"] == "keep"


def test_a_discard_is_not_repeated_unknowingly_on_new_ground(lab: Lab):
    started(lab)
    assert trial(lab, 11, OTHER)["status"] == "discard"
    assert trial(lab, 9, LOOP + "#\n")["status"] == "keep"
    lab.repo.write("src/code.py", OTHER)
    lab.value(8)
    refused(lab.try_out(), "the same as trial 1 (discard, +1", "nothing was run")
    assert lab.trial(None, "--knowing")["status"] == "keep"


def test_kinds_are_told_when_a_refine_is_due(lab: Lab):
    started(lab)
    lab.trial(9, "--label", "data")
    for value in (21, 22):
        assert "tried" not in lab.trial(value, "--label", "loops")["next"]
    told = lab.trial(23, "--label", "loops")["next"]
    assert told["action"] == "refine"
    assert told["tried"]["labels"] == ["loops: 3 tried, 0 kept", "data: 1 tried, 1 kept, best -1"]
    assert told["tried"]["places"] == ["src/value: 4 tried, 1 kept, best -1"]
    priced = lab.trial(8)["next"]
    assert "tried" not in priced
    said = r"\d+ s thought, \d+ s measured, \d+ % for the tool(: over a tenth, so retries and profiles are left out)?"
    assert re.fullmatch(said, priced["price"])


@pytest.mark.parametrize(
    ("left", "said"), [({}, False), ({"minutes": 12}, False), ({"minutes": 2.3}, True), ({"iterations": 1}, False)]
)
def test_what_no_longer_fits_into_the_minutes_is_told(left: dict[str, float], said: bool):
    told = hints._scarce("2 min thought, 30 s measured", thought.Pace(120.0, 30.0), {"left": left})
    assert told.endswith("only a quicker one fits into the 2.3 min that are left") == said


def test_a_target_that_is_near_is_raised(lab: Lab):
    lab.init("--stop-condition", "<= 5")
    assert "target" not in lab.trial(6)["next"]
    told = lab.trial(5)["next"]
    assert told["action"] == "stop"
    assert told["target"] == "100 % of the way to <= 5 is gone: propose 2 for the next run"


@pytest.mark.parametrize(
    ("direction", "bound", "values", "told"),
    [
        ("lower", "<= 0", (216, 21), ""),
        ("lower", "<= 0", (216, 1), ""),
        ("lower", "< 0", (3, 0), ""),
        ("lower", "<= 1", (216, 1), "propose 0 for"),
        ("lower", "<= 3", (216, 9), "propose 1 for"),
        ("lower", "<= 0.5", (2, 0.5), "propose 0.25 for"),
        ("lower", "<= 100", (216, 150), ""),
        ("higher", ">= 95", (50, 95), "propose 140 for"),
        ("higher", ">= 9.5", (5, 9.5), "propose 14 for"),
        ("lower", "<= -5", (5, -5), "propose -15 for"),
    ],
)
def test_a_raised_target_is_whole_for_a_count_and_none_where_zero_was_agreed(
    direction: str, bound: str, values: tuple[float, float], told: str
):
    first, now = (Decimal(str(value)) for value in values)
    state = SimpleNamespace(baseline_metric=first, current_metric=now, best_metric=now)
    config = SimpleNamespace(direction=direction, stop_at=lambda mode: stop_rules.parse(bound, direction))
    run: Any = SimpleNamespace(config=config, state=state, mode="loop")
    said = hints.raised(run)
    assert (told in said) if told else said == ""


def test_values_tried_outside_are_told_with_the_row(lab: Lab):
    lab.init()
    lab.trial(9, "--searched", 400, description="tuned")
    assert lab.rows()[-1].description == "tuned (best of 400 values tried outside)"
    assert lab.events("trial")[-1]["searched"] == 400


def test_the_limit_is_written_down_and_the_gap_told(lab: Lab):
    lab.init()
    said = call(lab, "ideas", "bound", "--value", 2, "--why", "two loads a line").json
    assert said == {"bound": 2, "why": "two loads a line", "limit": "8 above the limit 2, 0.0 % of the way gone"}
    call(lab, "ideas", "add", "--text", "an idea")
    assert lab.trial(6)["next"]["limit"] == "4 above the limit 2, 50.0 % of the way gone"
    assert lab.call("report", "--format", "json").json["limit"] == "4 above the limit 2, 50.0 % of the way gone"
    assert "two loads a line" in lab.repo.read("autoresearch-ideas.md")
    refused(call(lab, "ideas", "bound", "--value", 2, "--why", " "), "--why is empty")


def test_a_lesson_rises_by_keeps_and_retires_by_discards(lab: Lab):
    lab.init()
    for name in ("one", "two"):
        call(lab, "lessons", "append", "--title", name, "--strategy", name, "--outcome", "keep", "--insight", name)
    lab.trial(9, "--lesson", "L-1")
    for value in (21, 22, 23):
        lab.trial(value, "--lesson", "L-2")
    listed = call(lab, "lessons", "list").json
    assert [entry["title"] for entry in listed["lessons"]] == ["set 9", "one"]
    assert (listed["retired"], listed["lessons"][1]["credit"]) == (1, "1 kept, 0 not since")
    assert len(call(lab, "lessons", "list", "--all").json["lessons"]) == 3
    refused(lab.try_out("--lesson", "three"), "is no lesson")
