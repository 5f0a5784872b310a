"""A share of the random histories; the script plays as many as asked."""

from __future__ import annotations

from collections import Counter

from tests.faults import random_histories


def test_logs_fold_and_trees_are_the_retained_state():
    done = sum((random_histories.play(seed) for seed in (10_001, 10_002)), Counter[str]())
    assert sum(done.values()) > random_histories.STEPS
