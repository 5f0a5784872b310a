"""The way of a metric in the user's units."""

from __future__ import annotations

from decimal import Decimal

import pytest
from autoresearch.guidance import units
from autoresearch.kernel.core.settings import Config

PAIR = {"p50_ms": Decimal("17.04"), "reference_p50_ms": Decimal("63.1"), "p99_ms": Decimal(90)}


@pytest.mark.parametrize(
    ("name", "key", "first", "now", "others", "shown"),
    [
        ("the feed", "p50_ms", "63.2", "17", {}, "the feed 63.2 → 17 ms"),
        ("the feed", "percent", "100", "27", PAIR, "the feed 63.1 → 17 ms"),
        ("percent", "", "100", "27", PAIR, "p50 63.1 → 17 ms"),
        ("percent", "", "100", "27", {}, "share 100 → 27 %"),
        ("ms", "", "40.123", "30", {}, "time 40.1 → 30 ms"),
        ("peak_kib", "", "15020", "14000.7", {}, "peak 15020 → 14001 KiB"),
        ("type errors", "errors", "466", "61", {}, "type errors 466 → 61"),
        ("lines_run", "", "984740", "115512", {}, "lines_run 984740 → 115512"),
        ("loss", "", "0.56765", "0.2395", {}, "loss 0.568 → 0.24"),
    ],
)
def test_the_way_is_told_in_the_users_units(name, key, first, now, others, shown):
    config = Config(metric=name, metric_key=key)
    assert str(units.way(config, Decimal(first), Decimal(now), others)) == shown
