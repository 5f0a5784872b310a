"""The search for the fewest units that must go."""

from __future__ import annotations

from collections.abc import Sequence

from autoresearch.salvage.delta import Search
from hypothesis import given
from hypothesis import strategies as st


def search(total: int, bad: set[int], most: int = 1000) -> Search:
    """A search over numbered units of which the bad ones must all go."""

    def passes(stay: Sequence[int]) -> bool:
        return not bad & set(stay)

    made = Search(range(total), passes, most)
    made.smallest([[n] for n in range(total)])
    return made


@given(st.integers(2, 30).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1), min_size=1))))
def test_units_that_fail_by_themselves_are_found_exactly(case: tuple[int, set[int]]):
    total, bad = case
    found = search(total, bad)
    if len(bad) == total:
        assert found.best is None
    else:
        assert set(found.best or ()) == bad


def test_one_of_twelve_is_found_within_twelve_tests():
    for bad in range(12):
        found = search(12, {bad}, 12)
        assert found.best == (bad,)
        assert found.tests <= 12


def test_the_best_so_far_stays_when_no_more_may_be_tested():
    found = search(16, {3}, 2)
    assert found.tests == 2
    assert set(found.best or ()) >= {3}
    assert len(found.best or ()) <= 8


def test_files_come_first_and_only_theirs_are_taken_apart():
    asked: list[list[int]] = []

    def passes(stay: Sequence[int]) -> bool:
        asked.append(list(stay))
        return 5 not in stay

    made = Search(range(9), passes, 100)
    made.smallest([(0, 1, 2), (3, 4, 5), (6, 7, 8)])
    assert made.best == (3, 4, 5)
    made.smallest([[unit] for unit in made.best])
    assert made.best == (5,)
    assert len(asked) == len({tuple(stay) for stay in asked}) <= 8
