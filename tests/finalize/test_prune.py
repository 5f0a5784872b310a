"""Pruning: useless keeps go, what is worth something stays, and what is left is measured and told."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
from autoresearch.kernel.core.settings import Config
from autoresearch.kernel.run import measure
from autoresearch.kernel.run.measure import Arms, Bench
from autoresearch.noise import equivalence

from tests.conftest import Repo

CHECK = "x=$(cat src/x); y=$(cat src/y); z=$(cat src/z)\necho $(( (x < y ? x : y) + z ))\n"


@pytest.fixture
def ran(repo: Repo, run_script):
    """A run of the check min(x, y) + z: what the first two keeps gained, the third made needless."""
    for name in "xyz":
        repo.write(f"src/{name}", "10\n")
    repo.write("check.sh", CHECK)
    repo.commit("numbers")
    flags = ["--goal", "less", "--scope", "src/", "--metric-name", "n", "--direction", "lower", "--prune", "at-end"]
    checks = ["--verify", "sh check.sh", "--guard", "test $(cat src/z) -lt 11", "--iterations", 4]
    assert run_script("init_run", "--repo", repo.path, *flags, *checks).code == 0
    for name, value in (("x", 9), ("x", 8), ("y", 5), ("z", 4)):
        repo.write(f"src/{name}", f"{value}\n")
        done = run_script("run_trial", "--repo", repo.path, "--description", f"{name} is {value}")
        assert done.json["status"] == "keep", done.err
    assert "--prune --branch pruned-less" in done.json["next"]["do"]
    return repo


def test_what_costs_nothing_goes_and_the_smaller_change_is_told(ran, run_script):
    before = ran.git("for-each-ref"), ran.status()
    assert run_script("report", "--repo", ran.path, "--worth").code == 0
    assert (ran.git("for-each-ref"), ran.status()) == before
    evidence = ran.path / "autoresearch-evidence"
    assert "What each kept experiment is worth today" in (evidence / "report.html").read_text()
    text = (evidence / "report.md").read_text()
    assert "| 4 | 6 | exact | - | z is 4 |" in text and "| 2 | 0 (worth nothing) | exact | pass | x is 8 |" in text
    assert "| 1 | not known: later experiments build on it |" in text
    answer = run_script("finalize", "--repo", ran.path, "--branch", "clean", "--prune").json
    assert [(row["iteration"], row["cost_without"]) for row in answer["worth"]] == [(1, None), (2, 0), (3, 3), (4, 6)]
    assert answer["left_out"] == [1, 2] and answer["metric"]["measured"] == 9
    assert answer["pruned"] == "left out 2 experiments (1, 2): 4 changed lines instead of 6 at the same number"
    assert [ran.git("show", f"clean:src/{name}") for name in "xyz"] == ["10", "5", "4"]


def test_what_the_user_wants_out_is_left_out_and_its_cost_is_told(ran, run_script):
    answer = run_script("finalize", "--repo", ran.path, "--branch", "clean", "--without", 1, "--without", 2).json
    assert answer["pruned"] == "left out 2 experiments (1, 2): 4 changed lines instead of 6 at the same number"
    assert [ran.git("show", f"clean:src/{name}") for name in "xyz"] == ["10", "5", "4"]
    assert ran.git("log", "--format=%s", "clean~2..clean") == "z is 4\ny is 5"
    assert "without what was left out" in Path(answer["pull_request_path"]).read_text()
    dear = run_script("finalize", "--repo", ran.path, "--branch", "dear", "--without", 3).json
    assert "at a number worse by 3" in dear["pruned"] and dear["metric"]["measured"] == 12
    refused = run_script("finalize", "--repo", ran.path, "--branch", "no", "--without", 1)
    assert refused.code == 1 and "later ones build on it" in refused.err
    assert "was not kept" in run_script("finalize", "--repo", ran.path, "--branch", "no", "--without", 7).err
    assert ran.git("branch", "--list", "no") == ""


@pytest.mark.parametrize("direction, sign", [("lower", 1), ("higher", -1)])
@pytest.mark.parametrize("worth, least, most", [(0.0, 0.9, 1.0), (3.0, 0.0, 0.0)])
def test_under_noise_the_useless_go_and_what_is_worth_three_spreads_stays(
    monkeypatch, tmp_path, direction, sign, worth, least, most
):
    dice, shown = random.Random(7), {"without": False}

    def verify(bench, name, limit=0):
        value = 100 + dice.gauss(0, 1) + (sign * worth if shown["without"] else 0)
        return SimpleNamespace(value=Decimal(f"{value:.4f}"), others={}, problem="")

    monkeypatch.setattr(measure, "verify", verify)
    noise = {"kind": "noisy", "spread": Decimal(1), "samples": ["99", "100", "101"], "smallest_detectable": "1.4"}
    config = Config(direction=direction, noise=noise, max_runs=40)
    arms = Arms(lambda: shown.update(without=True), lambda: shown.update(without=False))
    bench = Bench(tmp_path, tmp_path, config, measure.limit_of(config, 1.0), "test")
    tries = [equivalence.cost(bench, arms, str(number)) for number in range(120)]
    assert least <= sum(cost.none for cost in tries) / len(tries) <= most
    assert all(
        cost.value is not None and cost.interval and cost.interval[0] <= cost.value <= cost.interval[1]
        for cost in tries
    )
