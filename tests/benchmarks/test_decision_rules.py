"""The promises on false keeps, power and cost, over a thousand edits a cell with a fixed seed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import decision_rules as bench

RECORDED = Path(bench.__file__).with_name("decision_rules.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("noise", bench.NOISES)
def test_edits_that_do_nothing_are_rarely_kept_and_cheap(noise):
    nothing = bench.cell(bench.Paired, noise, 0.0, 1000, seed=1)
    assert nothing.share <= 0.05
    assert nothing.runs <= 10


def test_a_gain_of_three_spreads_is_kept_quickly():
    large = bench.cell(bench.Paired, "normal", 3.0, 1000, seed=1)
    assert large.share >= 0.95
    assert large.runs <= 14


@pytest.mark.parametrize("noise", ["normal", "heavy-tailed"])
def test_a_gain_of_one_and_a_half_spreads_is_mostly_kept(noise):
    assert bench.cell(bench.Paired, noise, 1.5, 1000, seed=1).share >= 0.80


def test_ours_claims_what_is_true_even_on_a_drifting_machine():
    claimed, true = bench.totals(bench.Paired, "drifting", 20, seed=1)
    assert true > 10
    assert claimed < 1.25 * true


@pytest.mark.parametrize("rule", bench.RULES)
def test_the_recorded_table_is_what_the_code_yields(rule):
    assert bench.row(rule, "normal", 1000, 1) in RECORDED


@pytest.mark.parametrize(("noise", "least"), [("a fifth of the runs", 0.80), ("a tenth of the runs", 0.93)])
def test_bursts_of_other_work_hide_few_gains(noise: str, least: float):
    assert bench.cell(bench.Paired, noise, 10.0, 1000, seed=1).share >= least
    assert bench.cell(bench.Paired, noise, 0.0, 1000, seed=1).share <= 0.05


def test_most_discards_of_nothing_refute_a_gain():
    nothing = bench.cell(bench.Paired, "normal", 0.0, 1000, seed=1)
    assert nothing.undecided <= 0.35 * nothing.trials
