from __future__ import annotations

import os
import time
from decimal import Decimal
from itertools import combinations, product
from pathlib import Path

import pytest
from autoresearch.kernel.core.errors import Refusal
from autoresearch.noise import paired, signrank
from autoresearch.noise.sequential import (
    NoiseRule,
    detectable_spreads,
    futility_limit,
    judge,
    keep_levels,
    least_runs,
    order,
)
from hypothesis import given, settings
from hypothesis import strategies as st

LOWER = NoiseRule(direction="lower")
small = st.lists(st.integers(-4, 4).map(Decimal), min_size=1, max_size=8)


def pairs(*gains: object) -> list[tuple[Decimal, Decimal]]:
    """Pairs under "lower" with these gains."""
    return [(100 - Decimal(str(gain)), Decimal(100)) for gain in gains]


def counted_p(gains: list[Decimal]) -> float:
    """The definition: the share of all sign patterns whose statistic is as large as the one seen."""
    sizes = [abs(gain) for gain in gains if gain]
    ranks = [sum(b < a for b in sizes) + (sum(b == a for b in sizes) + 1) / 2 for a in sizes]
    seen = sum(rank for rank, gain in zip(ranks, filter(None, gains)) if gain > 0)
    sums = [sum(r for r, s in zip(ranks, signs) if s) for signs in product((0, 1), repeat=len(sizes))]
    return sum(total >= seen for total in sums) / len(sums)


@given(small)
def test_p_is_the_counted_share_of_sign_patterns_ties_and_zeros_included(gains):
    assert signrank.p_value(gains) == counted_p(gains)


def test_p_agrees_with_wilcoxons_table():
    # One-sided 5 % critical sums of the rarer sign: 2 of 6 pairs, 8 of 9, 60 of 20 (Wilcoxon & Wilcox 1964).
    for n, lesser in ((6, 2), (9, 8), (20, 60)):
        assert signrank.critical_value(n, 0.05) == n * (n + 1) // 2 - lesser


def test_no_difference_anywhere_has_p_one():
    assert signrank.p_value([Decimal(0)] * 5) == 1


@given(st.sampled_from([0.2, 0.1, 0.0625, 0.05, 0.01, 0.001]), st.integers(1, 60))
def test_the_looks_never_spend_more_than_alpha(alpha, max_pairs):
    levels = keep_levels(alpha, max_pairs)
    assert sum(levels.values()) <= alpha + 1e-12
    assert bool(levels) == (2 * max_pairs >= least_runs(alpha))
    assert all(level >= 2.0**-n for n, level in levels.items())


@pytest.mark.parametrize("tied", [False, True])
def test_false_keeps_are_within_alpha_over_every_sign_pattern(tied):
    # Given the sizes, all 2^10 patterns of signs are equally likely under an edit that does nothing.
    rule = NoiseRule(direction="lower", max_runs=20)
    sizes = [3, 1, 2, 2, 3, 1, 1, 0, 2, 3] if tied else [3, 7, 1, 9, 4, 10, 2, 8, 5, 6]
    kept = sum(
        judge(pairs(*(s * x for s, x in zip(signs, sizes))), rule).action == "keep"
        for signs in product((-1, 1), repeat=10)
    )
    assert 0 < kept / 2**10 <= rule.alpha


def test_a_clear_gain_is_kept_after_six_pairs_with_its_interval():
    verdict = judge(pairs(3, 5, 4, 6, 2, 7, -99), LOWER)
    assert (verdict.action, verdict.looks, verdict.p) == ("keep", 1, 1 / 64)
    assert verdict.estimate == Decimal("4.5")
    assert verdict.interval == (Decimal(2), Decimal(7))
    assert "6 pairs" in verdict.reason and "0.05" in verdict.reason


def test_the_direction_turns_the_sign():
    turned = [(retained, candidate) for candidate, retained in pairs(3, 5, 4, 6, 2, 7)]
    assert judge(turned, NoiseRule(direction="higher")).action == "keep"
    assert judge(turned, LOWER).action == "discard"


def test_an_edit_that_changes_nothing_is_dropped_after_two_pairs():
    verdict = judge(pairs(0, 0, 0), LOWER)
    assert (verdict.action, verdict.estimate, verdict.p) == ("discard", Decimal(0), 1.0)
    assert "2 pairs" in verdict.reason


def test_one_pair_decides_nothing():
    assert judge([], LOWER).action == "more"
    assert judge(pairs(-5), LOWER).action == "more"


def test_the_cap_ends_it():
    rule = NoiseRule(direction="lower", max_runs=10)
    verdict = judge(pairs(5, 4, 3, 2, -1), rule)
    assert (verdict.action, verdict.looks) == ("discard", 1)
    assert "max-runs 10" in verdict.reason


def test_gains_below_min_delta_are_not_kept():
    gains = (3, 5, 4, 6, 2, 7)
    verdict = judge(pairs(*gains), NoiseRule(direction="lower", min_delta=Decimal(5)))
    assert verdict.action == "discard"
    assert judge(pairs(*gains), NoiseRule(direction="lower", min_delta=Decimal("1.5"))).action == "keep"


def test_a_keep_needs_an_estimate_above_zero():
    # Eight gains and no loss have a small p, but most pairs showed no difference at all.
    gains, rule = [1] * 6 + [0] * 22 + [1] * 2, NoiseRule(direction="lower", max_runs=100)
    verdict = judge(pairs(*gains), rule)
    assert verdict.p is not None and verdict.p <= keep_levels(rule.alpha, 50)[30]
    assert (verdict.action, verdict.estimate) == ("more", Decimal(0))


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=24), st.sampled_from([10, 20, 40]))
def test_judging_again_with_more_pairs_keeps_the_decision(gains, max_runs):
    rule = NoiseRule(direction="lower", max_runs=max_runs)
    verdicts = [judge(pairs(*gains[:n]), rule) for n in range(1, len(gains) + 1)]
    final = [verdict for verdict in verdicts if verdict.action != "more"]
    assert all(verdict == final[0] for verdict in final)
    assert len(verdicts) - len(final) < max_runs // 2


@given(st.lists(st.integers(-50, 50).map(Decimal), min_size=6, max_size=6, unique=True))
def test_the_interval_holds_what_the_test_would_not_reject(gains):
    level = keep_levels(0.05, 20)[6]
    low, high = signrank.interval(gains, level)
    assert signrank.p_value([gain - low + Decimal("0.001") for gain in gains]) <= level
    assert signrank.p_value([gain - low - Decimal("0.001") for gain in gains]) > level
    assert low <= signrank.estimate(gains) <= high


def test_long_decimals_are_not_rounded():
    tiny = Decimal("1e-40")
    verdict = judge([(Decimal(1), 1 + tiny)] * 6, LOWER)
    assert verdict.estimate in (0, tiny)  # the sum above is rounded, the rule's own differences are not
    exact = Decimal("1." + "0" * 39 + "1")
    assert judge([(Decimal(1), exact)] * 6, LOWER).estimate == tiny


def test_futility_grows_stricter_and_never_stops_a_clean_row():
    limits = [futility_limit(n, 0.05, 20) for n in range(1, 21)]
    assert limits[0] == 1 and limits[1] == 0.5
    assert limits == sorted(limits, reverse=True)
    assert all(limit >= 2.0**-n for n, limit in enumerate(limits, start=1))


def test_the_order_is_a_fair_coin_fixed_by_seed_and_pair():
    flips = [order(seed, pair) for seed in range(100) for pair in range(20)]
    assert flips == [order(seed, pair) for seed in range(100) for pair in range(20)]
    assert abs(sum(flips) - 1000) < 100
    # Pairs of flips as well: neither within a seed nor from one seed to the next do they agree too often.
    rows = [flips[20 * seed : 20 * seed + 20] for seed in range(100)]
    assert abs(sum(a == b for row in rows for a, b in zip(row, row[1:])) - 950) < 100
    assert abs(sum(a == b for one, two in zip(rows, rows[1:]) for a, b in zip(one, two)) - 990) < 100


def test_more_runs_detect_smaller_gains():
    detectable = [detectable_spreads(0.05, runs) for runs in (10, 20, 40, 100)]
    assert detectable == sorted(detectable, reverse=True)
    assert detectable_spreads(0.05, 40) == pytest.approx(1.4, abs=0.05)


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ({"direction": "up"}, "direction"),
        ({"alpha": 0.0}, "--alpha"),
        ({"alpha": 0.5}, "--alpha"),
        ({"alpha": float("nan")}, "--alpha"),
        ({"max_runs": 1}, "--max-runs"),
        ({"max_runs": 401}, "--max-runs"),
        ({"min_delta": Decimal(-1)}, "--min-delta"),
    ],
)
def test_values_out_of_range_are_refused(bad, named):
    with pytest.raises(Refusal, match=named):
        NoiseRule(**{"direction": "lower", **bad})


def test_walsh_averages_are_the_means_of_all_pairs():
    gains = [Decimal(1), Decimal(4), Decimal(9), Decimal(16)]
    means = [*gains, *((a + b) / 2 for a, b in combinations(gains, 2))]
    assert signrank.estimate(gains) == (sorted(means)[4] + sorted(means)[5]) / 2


BURSTS = NoiseRule(direction="lower", alpha=0.3, max_runs=12, spread=Decimal(1), steady=Decimal(1))
disturbed = st.lists(
    st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.sampled_from([0, 0, 0, 40, 70]), st.booleans()),
    min_size=6,
    max_size=6,
)


@settings(max_examples=30)
@given(disturbed)
def test_false_keeps_are_within_alpha_over_every_swap_bursts_included(drawn):
    runs = [(100 + a + (hit if first else 0), 100 + b + (0 if first else hit)) for a, b, hit, first in drawn]
    kept = 0
    for swaps in product((False, True), repeat=len(runs)):
        turned = [(Decimal(b), Decimal(a)) if swap else (Decimal(a), Decimal(b)) for (a, b), swap in zip(runs, swaps)]
        kept += judge(turned, BURSTS).action == "keep"
    assert kept <= 0.3 * 2 ** len(runs)


def test_a_disturbed_pair_is_set_aside_whichever_arm_was_hit():
    steady = NoiseRule(direction="lower", spread=Decimal(1), steady=Decimal(1))
    calm = [(Decimal(90 + n % 2), Decimal(100 - n % 2)) for n in range(6)]
    for hit in ((Decimal(150), Decimal(100)), (Decimal(90), Decimal(160))):
        verdict = judge([*calm[:3], hit, *calm[3:]], steady)
        assert (verdict.action, verdict.aside) == ("keep", 1)
        assert "6 pairs of runs and 1 set aside as disturbed" in verdict.reason
    assert judge([*calm[:3], (Decimal(150), Decimal(100)), *calm[3:]], LOWER).action != "keep"


def test_set_aside_pairs_count_towards_the_cap():
    rule = NoiseRule(direction="lower", alpha=0.01, max_runs=14, spread=Decimal(1), steady=Decimal(1))
    calm = [(Decimal(90 + n % 2), Decimal(100 - n % 2)) for n in range(7)]
    assert judge(calm, rule).action == "keep"
    assert judge([*calm[:6], (Decimal(150), Decimal(100))], rule).action == "discard"


def test_unsteady_runs_do_not_make_an_edit_hopeless_at_once():
    unsteady = [(Decimal(130), Decimal(100)), (Decimal(96), Decimal(104))]
    assert judge(unsteady, LOWER).action == "discard"
    assert judge(unsteady, NoiseRule(direction="lower", spread=Decimal(1), steady=Decimal(1))).action == "more"


def test_a_discard_says_whether_a_gain_worth_having_is_excluded():
    rule = NoiseRule(direction="lower", spread=Decimal(1), steady=Decimal(1), worth=Decimal(2))
    refuted = judge(pairs(-3, -4), rule)
    assert (refuted.action, refuted.outcome) == ("discard", "no gain")
    assert refuted.reason.startswith("no gain: a gain has become too unlikely after 2 pairs")
    still_open = judge(pairs(2, "-2.1"), rule)
    assert (still_open.action, still_open.outcome) == ("discard", "undecided")
    assert still_open.reason.startswith("undecided: the gain lies between -2.38 and 2.28 after 2 pairs")
    assert still_open.reason.endswith("; no keep was in sight, so 18 more of 20 pairs were spared")


def test_cheap_runs_are_not_called_hopeless_before_so_many_pairs():
    bad = pairs(*[-1] * 8)
    patient = NoiseRule(direction="lower", patient=8)
    assert judge(bad[:2], LOWER).action == "discard"
    assert [judge(bad[:count], patient).action for count in range(1, 9)] == ["more"] * 7 + ["discard"]


@pytest.mark.parametrize(
    ("thought", "seconds", "expected"), [(60, 0, 0), (0, 0.3, 0), (60, 0.3, 8), (30, 0.3, 5), (60, 1, 3), (600, 40, 0)]
)
def test_patience_is_a_tenth_of_the_thought(thought: float, seconds: float, expected: int):
    assert paired.patient(thought, seconds) == expected


def test_the_thought_is_the_time_since_the_last_evidence(tmp_path: Path):
    assert paired._thought(tmp_path / "0004") == paired._thought(tmp_path / "doctor") == 0
    (tmp_path / "0001").mkdir()
    os.utime(tmp_path / "0001", (time.time() - 100,) * 2)
    assert 100 <= paired._thought(tmp_path / "0004") < 200
    os.utime(tmp_path / "0001", (time.time() + 100,) * 2)
    assert paired._thought(tmp_path / "0002") == 0
