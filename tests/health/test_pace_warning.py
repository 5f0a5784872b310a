"""A check that became slower is warned of: one trial by far, or three in a row by much."""

from __future__ import annotations

import json

import pytest
from autoresearch.health.pace_warning import slower

from tests.lab import Lab

USUAL = [2.0, 2.2, 1.8, 2.0, 2.0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([5.9], ""),
        ([6.1], "the last trial took 6.1 s a run, more than 3 times the 2 s of the 5 before"),
        ([4.1, 4.2], ""),
        ([4.1, 4.2, 4.3], "the last 3 trials took 4.1, 4.2, 4.3 s a run, each more than 2 times the 2 s"),
        ([4.1, 3.9, 4.3], ""),
        ([6.1, 2.0], ""),
    ],
)
def test_what_is_warned_of(more: list[float], said: str):
    found = slower([*USUAL, *more])
    assert found.startswith(said) and bool(found) == bool(said)


def test_too_few_or_too_quick_to_tell():
    assert slower([2, 2, 2, 2, 60]) == ""
    assert slower([0.01, 0.01, 0.01, 0.01, 0.01, 0.9]) == ""


def test_health_check_tells_it(lab: Lab):
    lab.init()
    log = lab.path / "research-results.tsv"
    with log.open("a") as file:
        for number, seconds in enumerate([*USUAL, 14.0], 1):
            event = {"kind": "trial", "iteration": number, "runs": 2, "seconds": 2 * seconds}
            file.write(f"# event: {json.dumps(event)}\n{number}\t-\t10\t0\t-\tdiscard\tno gain\n")
    answer = lab.call("health_check").json
    assert answer["decision"] == "warn"
    assert [text for text in answer["warnings"] if "the last trial took 14 s a run" in text]
