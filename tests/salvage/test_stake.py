"""Whether looking for the good part of an edit pays, by what the run has made of its time."""

from __future__ import annotations

import pytest
from autoresearch.salvage.delta import Search
from autoresearch.salvage.stake import UNKNOWN, Stake, Yield


def test_the_time_in_which_new_edits_gain_as_much():
    # Ten experiments of 60 s gave 4 + 2 in two keeps: 6 in 11 (the one that failed counts too).
    made = Yield(10, (4.0, 2.0), 60.0)
    assert made.seconds(3.0) == pytest.approx(330)
    assert made.seconds(0.0) == made.seconds(3.0), "without a gain of its own it counts as a middle keep"
    assert Yield(10, (), 60.0).seconds(3.0) == UNKNOWN


@pytest.mark.parametrize(
    ("worth", "test", "last", "begins"),
    [(UNKNOWN, 60, 60, True), (100, 1, 60, True), (100, 1, 95, False), (100, 10, 40, True), (100, 10, 50, False)],
)
def test_a_search_begins_where_a_part_may_bring_more_than_it_takes(worth, test, last, begins):
    assert Stake(worth, test, last).begins() is begins


def test_a_search_ends_where_the_next_part_saves_too_little():
    asked = []

    def passes(stay):
        asked.append(stay)
        return 3 not in stay

    # A test is worth its time for a quarter of the edit, and for an eighth no more.
    search = Search(range(16), passes, 100, Stake(60.0, 10.0).pays)
    search.smallest([[unit] for unit in range(16)])
    assert search.best == (0, 1, 2, 3)
    assert len(asked) == 2


def test_no_check_of_a_part_goes_on_after_its_time(tmp_path):
    import time

    from autoresearch.kernel.core.settings import Config
    from autoresearch.kernel.core.timelimit import TimeLimit
    from autoresearch.kernel.run import measure

    (tmp_path / "work").mkdir()
    end = time.monotonic() + 0.5
    bench = measure.Bench(tmp_path / "work", tmp_path, Config(), TimeLimit(9000.0), "parts", until=end)
    passed, why, _ = measure.passes(bench, "sleep 8000", "")
    assert (passed, "was ended" in why) == (False, True)


def test_a_part_that_takes_several_times_as_long_as_usual_does_not_take_the_time_of_the_others():
    import time

    from autoresearch.salvage import second_look

    now = time.monotonic()
    bound = second_look._Bound(12, now + 900, Stake(UNKNOWN, 20.0), 20.0)
    assert 95 <= bound.one() - now < 120
    assert second_look._Bound(12, now + 30, Stake(UNKNOWN, 20.0), 20.0).one() == now + 30
    assert second_look._Bound(5, second_look.FOREVER, None).one() == second_look.FOREVER


def test_while_no_part_passes_all_tests_together_are_worth_no_more_than_the_edit():
    from autoresearch.salvage import second_look

    bound = second_look._Bound(12, second_look.FOREVER, Stake(50.0, 10.0))
    asked = []
    while bound.pays(0.5):
        bound.took(12.0, False)
        asked.append(12.0)
    assert len(asked) == 4
    bound.took(1.0, True)
    assert bound.pays(0.5) and not bound.pays(0.01)
