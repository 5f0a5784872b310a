"""What a measured outcome becomes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from autoresearch.kernel.core import decision


@pytest.mark.parametrize(
    ("direction", "trial", "guard", "crashed", "status", "improved", "reason"),
    [
        ("lower", "46.9", "pass", False, "keep", True, "improved"),
        ("lower", "46.9", "-", False, "keep", True, "improved"),
        ("lower", "46.9", "fail", False, "discard", True, "guard failed"),
        ("lower", "47.0", "pass", False, "discard", False, "equal"),
        ("lower", "47.1", "pass", False, "discard", False, "worse"),
        ("lower", "47.1", "fail", False, "discard", False, "worse"),
        ("higher", "47.1", "pass", False, "keep", True, "improved"),
        ("higher", "46.9", "pass", False, "discard", False, "worse"),
        ("lower", "46.99999999999999999999999999999999999", "-", False, "keep", True, "improved"),
        ("lower", "1", "pass", True, "crash", False, "no number"),
        ("lower", None, "pass", False, "crash", False, "no number"),
    ],
)
def test_every_outcome(direction, trial, guard, crashed, status, improved, reason):
    value = None if trial is None else Decimal(trial)
    found = decision.decide(direction, Decimal(47), value, guard, crashed)
    assert (found.status, found.improved) == (status, improved)
    assert reason in found.reason


def test_a_keep_that_misses_a_required_label_is_a_discard_that_names_it():
    keep = decision.TrialOutcome("keep", True, "improved")
    found = decision.gate_labels(keep, ["a", "b", "c"], ["b"])
    assert found == decision.TrialOutcome("discard", True, "missing required label: a, c")
    assert decision.gate_labels(keep, ["a"], ["b", "a"]) is keep
    assert decision.gate_labels(keep, [], []) is keep
    worse = decision.TrialOutcome("discard", False, "worse")
    assert decision.gate_labels(worse, ["a"], []) is worse
