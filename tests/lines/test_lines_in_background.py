"""Side lines of an unattended run: the controller takes their steps between sessions."""

from __future__ import annotations

import sys

from tests.background.conftest import Scripted, background
from tests.conftest import SCRIPTS
from tests.unattended import TRIAL

__all__ = ["background"]  # the fixture
PIVOT = f"{sys.executable} {SCRIPTS}/autoresearch_record_iteration.py --repo . --status pivot --description x"


def test_the_controller_begins_a_line_and_ends_it_with_the_run(background: Scripted):
    background.plan(["echo 9 > value", TRIAL, PIVOT, PIVOT, PIVOT], ["echo 5 > value", TRIAL], [])
    background.launch("--side-lines", 1, "--stop-condition", "<= 5", verify="cat value")
    ended = background.ended()
    assert (ended["reason"], ended["spent"]["sessions"]) == ("goal_reached", 2), background.log()
    assert background.statuses() == ["baseline", "keep", "pivot", "pivot", "pivot", "drift", "keep", "drift"]
    told = [row[-1] for row in background.rows()]
    assert told[5] == "[LINE b from 0] grows from the state of iteration 0"
    assert told[6].startswith("[LINE b from 0] ") and told[7].startswith("[LINE b from 0] adopted: 5 against 9")
    assert background.log().count("runs the steps of a side line") == 2
    assert '"action": "end_turn"' in background.outputs()
    assert background.repo.status() == ""
