"""Trials of the tool's own: the controller runs them between sessions, where thinking is dear."""

from __future__ import annotations

from tests.background.conftest import Scripted
from tests.unattended import TRIAL

NUMBER = "sed -n '1p;30p' value | paste -sd+ - | bc"
UNITS = "test $(grep -c unit value) -ne 1"


def edit(*lines: str) -> list[object]:
    """Thought, of which the tool takes under a tenth on a busy machine too, an edit of some lines, and its trial."""
    return ["sleep 12; sed -i " + " ".join(f"-e '{line}'" for line in lines) + " value", TRIAL]


def test_a_guard_failure_is_tried_again_on_new_ground_without_a_session(background: Scripted):
    background.repo.write("value", "10\n" + "".join(f"x{n}\n" for n in range(28)) + "10\n")
    background.repo.commit("two numbers")
    alone, ground = edit("1s/.*/5/", "12s/.*/unit/"), edit("30s/.*/4/", "12s/.*/unit/", "20s/.*/unit/")
    background.plan([*alone, *ground], [])
    background.launch("--guard", UNITS, "--retries", 3, "--salvage-runs", 0, "--stop-condition", "<= 9", verify=NUMBER)
    ended = background.ended()
    assert (ended["reason"], ended["spent"]["sessions"]) == ("goal_reached", 1), background.log()
    assert background.statuses() == ["baseline", "discard", "keep", "keep"]
    assert background.rows()[-1][-1].startswith("[RETRY 1] ")
    assert "runs the tool's own trial (1)" in background.log()
    assert background.repo.status() == ""
