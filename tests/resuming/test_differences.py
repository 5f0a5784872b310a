"""What a snapshot says otherwise than its log."""

from __future__ import annotations

from decimal import Decimal

from autoresearch.resuming import resuming

from tests.kernel.disk.test_snapshot import log, taken


def test_a_difference_names_the_field_with_both_values():
    now = log("46.5")
    edited = taken(now)
    edited["state"].update(current_metric=Decimal("40.5"), iteration=7)
    edited["run_tag"] = "theirs"
    told = resuming.differences(edited, now)
    assert told == (
        "iteration: snapshot 7, log 1",
        "current_metric: snapshot 40.5, log 46.5",
        "run_tag: snapshot theirs, log tag",
    )
