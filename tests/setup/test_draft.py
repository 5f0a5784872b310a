"""The draft of the first message: twelve lines at most, with every warning that matters in it."""

from __future__ import annotations

from typing import Any

import pytest
from autoresearch.kernel.core.settings import Config
from autoresearch.setup import draft

TOLD = {"size": draft.SINGLE, "guard": "pass"}


def lines(warnings: list[str], require: tuple[str, ...] = ()) -> list[str]:
    config = Config(goal="faster", metric="ms", verify="echo 1", guard="true", require=require)
    return draft.lines(config, "ms is 1", {**TOLD, "warnings": warnings})


@pytest.mark.parametrize("require", [(), ("size <= 3",)])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 9])
def test_all_warnings_within_twelve_lines(count: int, require: tuple[str, ...]):
    found = lines([f"{word} trouble {'that goes on ' * 30}" for word in "abcdefghi"[:count]], require=require)
    assert len(found) <= draft.MOST and found[-1].startswith("Reply ")
    warned = [line for line in found if line.startswith("Before a start: ")]
    text = "\n".join(warned)
    assert len(text) < 900
    assert all(f"{word} trouble" in text for word in "abc"[:count])
    hidden = count - text.count("trouble")
    assert (f"and {hidden} more" in text) if hidden else ("more" not in text)


def test_a_guard_that_fails_is_told_once():
    found = lines(["the guard fails on the untouched tree (exit code 1)", "a limit is tight"])
    assert [line for line in found if "fails on the untouched" in line] == []
    assert "Before a start: a limit is tight" in found


@pytest.mark.parametrize(
    ("given", "ends", "reply"),
    [
        ({}, "Ends after 20 experiments, unless you say otherwise.", '"background, 20, go"'),
        ({"stop_condition": "<= 0"}, "Ends at <= 0, at the latest after 20 experiments", '"background, 20, go"'),
        ({"iterations": 8}, "Ends at 8 experiments.", '"background, 8, go"'),
        ({"max_minutes": 13}, "Ends at 13 minutes after the start (setting up not counted).", '"background, go"'),
        (
            {"stop_condition": "<= 0", "max_minutes": 13, "iterations": 8},
            "<= 0 or 8 experiments or 13 minutes after the start (setting up not counted), whichever comes first.",
            '"background, 8, go"',
        ),
        ({"until": "07:30"}, "Ends at 07:30.", '"background, go"'),
        ({"max_tokens": 2000}, "Ends at 2000 tokens.", '"background, go"'),
    ],
)
def test_what_ends_the_run_is_said_and_nothing_else(given: dict[str, Any], ends: str, reply: str):
    found = draft.lines(Config(goal="faster", metric="ms", verify="echo 1", **given), "ms is 1", TOLD)
    assert ends in found[-4] and reply in found[-1]


def test_what_a_shipped_check_cautions_of_is_told_before_a_start():
    printed = "METRIC errors=1\n# caution: settings are assumed\nsrc/a.ts:1: # caution: no\n"
    assert draft.cautions("python3 /s/autoresearch_check.py tsc src", printed) == ["settings are assumed"]
    assert draft.cautions("./own.sh", printed) == []
