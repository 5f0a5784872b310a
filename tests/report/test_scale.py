from __future__ import annotations

import math

from autoresearch.report.scale import Scale, fitted
from hypothesis import assume, given
from hypothesis import strategies as st

FINITE = st.floats(-1e90, 1e90, allow_nan=False).filter(lambda v: v == 0 or abs(v) > 1e-90)


@given(st.lists(FINITE, min_size=1, max_size=8), st.lists(FINITE, max_size=8))
def test_every_firm_value_is_within_and_every_tick_too(firm, loose):
    scale = fitted(firm, loose)
    assume(math.isfinite(scale.high - scale.low))
    assert all(scale.holds(value) for value in firm)
    assert all(0 <= scale.at(value) <= 1 for value in [*firm, *loose])
    ticks = scale.ticks(6)
    slack = (scale.high - scale.low) * 1e-9
    assert all(scale.low - slack <= value <= scale.high + slack for value, _ in ticks)
    assert len(ticks) <= 13


def test_one_far_discard_does_not_press_the_rest_flat():
    scale = fitted([100, 90], [95, 102, 5000])
    assert not scale.holds(5000)
    assert scale.holds(102)
    assert scale.at(5000) == 1


def test_without_a_keep_the_discards_span_the_axis():
    scale = fitted([100], [101, 99, 102, 103, 9000])
    assert scale.holds(103)
    assert not scale.holds(9000)


def test_a_hundredfold_gain_is_told_apart_on_a_logarithmic_axis():
    scale = fitted([1000, 10], [])
    assert scale.log
    assert [label for _, label in scale.ticks(6)] == ["10", "30", "100", "300", "1,000"]


def test_labels_are_as_fine_as_their_step():
    assert [label for _, label in Scale(0, 1).ticks(5)] == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert [label for _, label in Scale(0, 2_000_000).ticks(4)] == ["0", "500,000", "1M", "1.5M", "2M"]
    assert [label for _, label in Scale(-0.00002, 0).ticks(2)] == ["−2e−5", "−1e−5", "0"]
