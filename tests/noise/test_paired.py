"""What a noisy trial may cost, and what is done where it costs too much."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from autoresearch.kernel.core.settings import Config
from autoresearch.kernel.run import measure
from autoresearch.kernel.run.measure import Measurement, Sample
from autoresearch.noise import paired

from tests.lab import Lab, refused


@pytest.mark.parametrize(
    ("seconds", "runs", "by_pairs"),
    [(0.1, 40, True), (90, 40, True), (300, 12, True), (600, 6, False), (9000, 1, False)],
)
def test_a_trial_is_planned_to_take_an_hour_at_most(seconds, runs, by_pairs):
    config, _ = paired.calibrated(Config(), [sample(value, seconds) for value in (10, 12, 11)])
    assert config.max_runs == runs
    assert paired.affordable(config) is by_pairs


@pytest.mark.parametrize(("detectable", "agreed", "worth"), [(3, 0, 3), (40, 0, 5), (40, 8, 8), (0, 0, 0)])
def test_noise_makes_no_gain_worthless(detectable, agreed, worth):
    noise = {"spread": 1, "smallest_detectable": detectable, "samples": [99, 100, 101]}
    assert paired.rule_of(Config(noise=noise, min_delta=Decimal(agreed))).worth == worth


def test_what_was_asked_for_is_done():
    asked = Config(max_runs=40, calibrate=5)
    config, found = paired.calibrated(asked, [sample(value, 600) for value in (10, 12, 11)])
    assert config.max_runs == 40
    assert paired.repeats(asked, 600) == 5
    assert "too slow for a budget of 60" in found.warnings[0]


def test_an_expensive_check_is_repeated_once_for_its_noise():
    assert [paired.repeats(Config(), seconds) for seconds in (None, 59, 61, 4000)] == [3, 3, 2, 2]


def test_one_run_must_beat_the_spread_and_the_smallest_gain_wanted():
    config, _ = paired.calibrated(Config(max_runs=1), [sample(value, 1) for value in (10, 12, 11)])
    assert paired.threshold(config) == Decimal("4.129")  # t(0.05; 2) x 1 x sqrt 2
    assert paired.threshold(Config(**{**vars(config), "min_delta": Decimal(6)})) == 6


def test_other_numbers_are_the_median_of_the_runs_that_all_print_them():
    samples = [sample(1, 1, p99=value, **extra) for value, extra in ((9, {}), (5, {"odd": 1}), (6, {}))]
    assert measure.others(samples) == {"p99": 6}
    assert Measurement(None, "", ()).others == {}


def sample(value: object, seconds: float, **others: int) -> Sample:
    return Sample(Decimal(str(value)), "", seconds, 0, {name: Decimal(other) for name, other in others.items()})


RISING = """\
import pathlib
path = pathlib.Path("../runs")
number = int(path.read_text()) if path.exists() else 0
path.write_text(str(number + 1))
print(f"METRIC cost={float(pathlib.Path('src/value').read_text()) + [0, .2, .1][number % 3]:.1f}")
print(f"METRIC rss={140 if number in (1, 7, 8) else 100 + number % 2}")  # 7 and 8 are one pair
"""


@pytest.fixture
def noisy(lab: Lab) -> Lab:
    lab.repo.write("check.py", RISING)
    lab.repo.commit("a noisy check")
    return lab


def test_a_required_number_that_is_noisy_too_is_judged_by_its_median(noisy: Lab):
    noisy.init("--metric-key", "cost", "--require", "rss <= baseline*1.05", verify="python3 check.py")
    assert noisy.trial(5)["status"] == "keep"
    kept: Any = json.loads(noisy.evidence("0001/trial.json").read_text())
    assert max(one["others"]["rss"] for one in kept["samples"]) == 140
    assert noisy.events("trial")[0]["others"]["rss"] <= 101


def test_a_recalibration_measures_the_noise_again(noisy: Lab):
    noisy.init("--metric-key", "cost", "--iterations", 1, verify="python3 check.py")
    noisy.repo.write("check.py", "print('METRIC cost=7')\n")
    drift = noisy.recorded("drift", "--description", "a quieter machine")
    assert drift["retained_metric"] == 7
    assert noisy.state()["config"]["noise"]["kind"] == "exact"
    assert noisy.trial(9)["status"] == "discard"
    assert noisy.events("trial")[0]["runs"] == 1


def test_hypothesis_and_outcome_are_kept_as_evidence(lab: Lab):
    lab.init()
    lab.trial(12, "--hypothesis", "more is less\nbecause of \x1b[31mcaches")
    kept = json.loads(lab.evidence("0001/trial.json").read_text())
    assert (kept["status"], kept["hypothesis"]) == ("discard", "more is less\nbecause of caches")
    assert lab.events("trial")[0]["hypothesis"] == "more is less because of caches"


COLD = """\
import pathlib, sys
sys.path.insert(0, "src")
cold = not list(pathlib.Path("src/__pycache__").glob("cost.*.pyc"))
import cost
with pathlib.Path("../runs").open("a") as runs:
    runs.write(f"{cost.cost} {'cold' if cold else 'warm'}\\n")
number = len(pathlib.Path("../runs").read_text().splitlines())
print(f"METRIC cost={cost.cost + number % 3 / 10:.1f}")
"""


def test_no_arm_is_charged_with_the_compilation_after_a_switch(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PYTHONPYCACHEPREFIX")
    lab.repo.write(".gitignore", "__pycache__/\n")
    lab.repo.write("check.py", COLD)
    lab.repo.write("src/cost.py", "cost = 10\n")
    lab.repo.commit("python")
    lab.init(verify="python3 check.py")
    (lab.path.parent / "runs").unlink()
    lab.repo.write("src/cost.py", "cost = 90 / 10\n")
    assert lab.trial()["status"] == "keep"
    runs = (lab.path.parent / "runs").read_text().splitlines()
    assert len(runs) >= 10
    assert sorted(run for run in runs if "cold" in run) == ["10 cold", "9.0 cold"]  # the first run of each


@pytest.mark.parametrize(
    ("retained", "now", "scale"),
    [
        ("100", ["99", "100", "101"], "1"),
        ("100", ["50", "80", "81"], "1.25"),  # the machine is faster than at the baseline
        ("100", ["400", "400"], "0.25"),  # a load that came since the baseline
        ("100", ["-1", "100", "101"], "1"),
        ("-5", ["-5", "-4"], "1"),
    ],
)
def test_a_gain_counts_in_proportion_to_the_machine_of_now(retained: str, now: list[str], scale: str) -> None:
    assert paired.proportion(Decimal(retained), [Decimal(value) for value in now]) == Decimal(scale)


LOADED = """\
import pathlib
with open("../runs", "a") as runs:
    runs.write("x")
number = pathlib.Path("../runs").stat().st_size
load = float(pathlib.Path("../load").read_text())
value = int(pathlib.Path("src/value").read_text())
print(f"METRIC ms={load * value * (1 + number * 7 % 5 / 50):.2f}")
"""


def test_gains_under_a_load_that_came_later_never_lead_below_zero(lab: Lab) -> None:
    lab.repo.write("check.py", LOADED)
    lab.repo.write("src/value", "100\n")
    lab.repo.commit("a time")
    (lab.path.parent / "load").write_text("1")
    lab.init(verify="python3 check.py")
    (lab.path.parent / "load").write_text("8")
    kept = [lab.trial(value) for value in (70, 45, 20)]
    assert [answer["status"] for answer in kept] == ["keep"] * 3
    assert 15 < kept[-1]["retained_metric"] < 30
    assert all(0 < answer["interval"][0] <= answer["metric"] <= answer["interval"][1] for answer in kept)


def test_a_baseline_that_is_100_by_construction_is_not_what_a_noisy_run_said(noisy: Lab):
    noisy.repo.write("src/value", "99.9\n")
    noisy.repo.commit("about 100")
    answer = noisy.init("--metric-key", "cost", "--baseline-is", 100, verify="python3 check.py")
    assert answer["baseline_metric"] == 100
    refused(noisy.call("init_run", "--force", *ASKED, "--baseline-is", 300), "--baseline-is 300", "correct the check")


ASKED = ("--scope", "src/", "--metric-name", "cost", "--verify", "python3 check.py")


def test_a_limit_on_a_noisy_number_is_refused_where_one_run_decides(noisy: Lab):
    flags = (*ASKED, "--metric-key", "cost", "--max-runs", 8, "--require")
    refused(
        noisy.call("init_run", *flags, "rss <= baseline*1.05"), "would be decided by chance", "a limit no nearer than"
    )
    assert noisy.call("init_run", *flags, "rss <= 400").code == 0


def test_a_dry_run_says_what_few_runs_can_decide_and_a_start_does_not(noisy: Lab):
    dry = noisy.call("init_run", "--dry-run", *ASKED, "--metric-key", "cost", "--max-runs", 8).json
    assert any("8 runs a trial allow no comparison in turns" in text and "needs 10" in text for text in dry["warnings"])
    assert "by one run a trial: --max-runs is 8, comparing in turns needs 10" in dry["message"]
    (noisy.path.parent / "runs").unlink()
    started = noisy.call("init_run", "--as-rehearsed").json
    assert not any("in turns" in text for text in started["warnings"])


def test_a_confirm_that_passed_is_told(lab: Lab):
    lab.init("--confirm", "true")
    assert lab.trial(8)["confirm"] == "pass"
    assert "confirm" not in lab.trial(9)


@pytest.mark.parametrize(
    ("value", "least", "told"),
    [
        (700, 208, "208 (30 % of the value; less as the value and its noise fall)"),
        (-700, 70, "70 (10 % of the value; less as the value and its noise fall)"),
        (20, 1, "1"),
        (0, 5, "5"),
    ],
)
def test_a_smallest_gain_that_is_a_large_share_is_told_as_one(value: int, least: int, told: str):
    config = Config(noise={"kind": "noisy", "spread": 1, "smallest_detectable": least, "seconds": 1})
    assert f"gains from about {told} on are told" in paired.sentence(config, Decimal(value), "one run takes 1 s")
