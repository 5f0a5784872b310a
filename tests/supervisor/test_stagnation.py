"""Sessions that record nothing are counted, and the run is handed over."""

from __future__ import annotations

from autoresearch.kernel.core.rulings import Ruling
from autoresearch.supervisor import stagnation
from autoresearch.supervisor.stagnation import Counters


def test_a_session_that_added_nothing_stagnates():
    first = stagnation.after_session(Counters(), "1:keep")
    assert first == Counters("1:keep", 1, 0)
    second = stagnation.after_session(first, "1:keep")
    third = stagnation.after_session(second, "1:keep")
    assert (second.stagnation, third.stagnation, third.restarts) == (1, 2, 3)
    assert stagnation.after_session(third, "2:keep").stagnation == 0


def test_stagnation_hands_over_only_a_run_that_would_go_on():
    stuck, going = Counters("x", 5, 3), Ruling("relaunch", "none")
    assert stagnation.with_stagnation(going, stuck, 3).reason == "stagnated"
    assert stagnation.with_stagnation(going, stuck, 4) is going
    assert stagnation.with_stagnation(going, stuck, 0) is going
    done = Ruling("stop", "goal_reached")
    assert stagnation.with_stagnation(done, stuck, 3) is done
