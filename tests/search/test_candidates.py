"""Which stored attempts are tried again, and which two together."""

from __future__ import annotations

from autoresearch.search import candidates
from autoresearch.search.candidates import Stored


def stored(iteration: int, gain: float, reach: float = 0.0, failed: str = "metric", **more: object) -> Stored:
    paths = frozenset((f"file{iteration}",))
    return Stored(iteration, gain, max(reach, gain), failed, **{"paths": paths, **more})  # type: ignore[arg-type]


def test_single_ones_need_new_ground_and_a_chance():
    known = [
        stored(1, 3.0),
        stored(2, -1.0, 2.0),
        stored(3, -1.0, -0.5),
        stored(4, 5.0, failed="guard"),
        stored(5, 5.0, failed="confirm"),
        stored(6, 4.0, ground=7),
        stored(8, 9.0, tries=1),
    ]
    assert [choice.iterations for choice in candidates.singles(known, 7, 0.0)] == [(4,), (1,), (2,)]
    assert [choice.iterations for choice in candidates.singles(known, 7, 3.5)] == [(4,)]


def test_pairs_are_small_alone_and_enough_together():
    known = [
        stored(1, 0.8),
        stored(2, 0.7),
        stored(3, 0.4),
        stored(4, 2.0),
        stored(5, 0.9, paths=frozenset(("file1",))),
    ]
    found = [choice.iterations for choice in candidates.pairs(known, {(2, 5)}, 1.0)]
    assert found == [(1, 2), (3, 5), (1, 3), (2, 3)]


def test_the_share_of_the_time():
    assert candidates.affordable(0, 0, 0.2)
    assert candidates.affordable(2, 10, 0.2)
    assert not candidates.affordable(2.1, 10, 0.2)
