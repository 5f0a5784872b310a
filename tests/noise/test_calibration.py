from __future__ import annotations

import random
from decimal import Decimal

import pytest
from autoresearch.kernel.core.errors import Refusal
from autoresearch.noise.calibration import Calibration, calibrate, robust_spread, single_run_threshold, t_quantile


def calibrated(*samples: object, durations: tuple[float, ...] = (), max_runs: int = 40) -> Calibration:
    return calibrate([Decimal(str(sample)) for sample in samples], durations, max_runs, 0.05)


def warned(*samples: object, durations: tuple[float, ...] = (), max_runs: int = 40) -> str:
    cal = calibrated(*samples, durations=durations, max_runs=max_runs)
    return " | ".join((*cal.warnings, *cal.advice))


def test_equal_samples_are_exact():
    cal = calibrated(47, 47, "47.0", durations=(2, 2, 2))
    assert (cal.kind, cal.warnings) == ("exact", ())
    assert [cal.center, cal.spread, cal.smallest_detectable] == [47, 0, 0]
    assert single_run_threshold(cal, 0.05) == 0


def test_differing_samples_are_noisy():
    cal = calibrated("10.1", "9.9", "10.0", "10.4", "9.8", durations=(1, 1, 1, 1, 1))
    assert (cal.kind, cal.center, cal.warnings) == ("noisy", Decimal(10), ())
    assert cal.spread == Decimal("0.1788")  # MAD 0.1 x 1.4826 x 1.206
    assert cal.smallest_detectable / cal.spread == pytest.approx(Decimal("1.4"), abs=Decimal("0.05"))


def test_no_samples_are_refused():
    with pytest.raises(Refusal, match="no samples"):
        calibrated()


@pytest.mark.parametrize("n", [2, 3, 5, 9, 12, 30])
def test_the_spread_of_normal_noise_is_unbiased(n):
    dice = random.Random(n)
    spreads = [robust_spread([Decimal(repr(dice.gauss(0, 1))) for _ in range(n)]) for _ in range(2000)]
    assert sum(spreads) / 2000 == pytest.approx(Decimal(1), abs=Decimal("0.05"))


def test_one_outlier_does_not_move_the_spread():
    calm = calibrated(10, 11, 9, 12, 8, 10).spread
    assert calibrated(10, 11, 9, 12, 8, 1000).spread < 2 * calm


def test_two_near_values_of_three_are_no_steady_metric():
    assert robust_spread([Decimal("146.77"), Decimal("118.26"), Decimal("147.62")]) > 15


def test_ties_leave_no_spread_of_zero():
    assert calibrated(5, 5, 5, 5, 6).spread > 0


@pytest.mark.parametrize(
    ("alpha", "freedom", "expected"),
    [
        (0.05, 1, 6.3138),
        (0.05, 2, 2.9200),
        (0.05, 4, 2.1318),
        (0.025, 9, 2.2622),
        (0.01, 3, 4.5407),
        (0.05, 100, 1.6602),
    ],
)
def test_t_quantiles_are_those_of_the_tables(alpha, freedom, expected):
    assert t_quantile(alpha, freedom) == pytest.approx(expected, abs=1e-4)


def test_a_single_run_beyond_the_threshold_is_rarely_chance():
    dice = random.Random(1)
    false = 0
    for _ in range(4000):
        *samples, retained, candidate = (Decimal(repr(dice.gauss(0, 1))) for _ in range(5))
        cal = calibrate(samples, (), 40, 0.05)
        false += retained - candidate > single_run_threshold(cal, 0.05)
    assert 0.04 < false / 4000 < 0.06


def test_a_budget_too_low_for_pairs_falls_back_to_the_threshold():
    cal = calibrated(10, 11, 12, 14, max_runs=8)
    assert cal.smallest_detectable > single_run_threshold(cal, 0.05) > 0
    assert cal.smallest_detectable > calibrated(10, 11, 12, 14).smallest_detectable


@pytest.mark.parametrize(
    ("samples", "options", "said"),
    [
        ((5,), {}, "one run cannot tell"),
        ((5, 5, 5), {"durations": (30.0, 0.1, 0.15)}, "200 times slower than the later ones: if the check caches"),
        ((10, 20, 30, 40), {}, "moves by 10 each run"),
        ((5.1, 5.3, 5.4, 5.8, 6.1), {}, "rises from run to run"),
        ((6.1, 5.8, 5.4, 5.3, 5.1), {}, "falls from run to run"),
        ((10, 14, "10.1", "14.1", "10.2"), {}, "two clusters, near 10.1 and near 14.05"),
        ((1, 9, 4), {}, "whole metric"),
        ((10, 11, 10.5), {"durations": (120.0, 120.0, 120.0)}, "80 minutes"),
        ((10, 10), {"durations": (4000.0, 4000.0)}, "67 minutes"),
    ],
)
def test_bad_checks_are_named(samples, options, said):
    assert said in warned(*samples, **options)


def test_good_checks_are_rarely_accused():
    dice = random.Random(3)
    for runs, share in ((3, 0.01), (5, 0.10), (10, 0.06)):
        accused = sum(bool(warned(*(100 + dice.gauss(0, 1) for _ in range(runs)))) for _ in range(500))
        assert accused <= share * 500, runs


def test_a_warm_cache_is_no_cached_result():
    assert warned(5, 5, durations=(0.9, 0.1)) == ""
    assert warned(5, 5, durations=(9.0, 8.0)) == ""
    assert warned(5, 5, 5, durations=(8.0, 0.4, 0.4)) == ""  # mypy on a small project
    assert warned(5, 5, 5, durations=(60.0, 1.5, 1.4)) == ""  # and on a large one


def test_three_coarse_timings_in_even_steps_are_chance():
    assert "moves by" not in warned(44, 46, 48)


def test_few_runs_of_great_noise_ask_for_more():
    assert "--calibrate 8" in warned("122.24", "124.61", "135.49")
    assert warned("122.24", "122.5", "122.3") == ""
    assert "--calibrate 8" not in warned("122.24", "124.61", "135.49", "120")
