"""A noisy check judged by the real scripts: its noise is fixed by a seed, so that every outcome is."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from autoresearch.noise import paired, sequential

from tests.conftest import HANG, SCRIPTS, Repo

# The n-th run of one content gives the same number whenever it comes, so the order of the arms changes nothing.
CHECK = """\
import os, pathlib, random, time
folder = pathlib.Path(os.environ["NOISE"])
text = pathlib.Path("value.txt").read_text().strip()
log = folder / "runs"
number = log.read_text().split().count(text) if log.exists() else 0
with log.open("a") as file:
    file.write(text + "\\n")
stop = folder / f"{text}-{number}"
if stop.exists() and stop.read_text() == "hang":
    (folder / "hanging").write_text("")
    time.sleep(600)
if stop.exists():
    raise SystemExit("no luck")
print("METRIC score=%.3f" % (float(text) + random.Random(f"{text} {number}").gauss(0, 1)))
print("METRIC size=%d" % (len(text) + number % 3))
"""


@dataclass
class Project:
    """A repository with a noisy check, and what the check was asked so far."""

    repo: Repo
    noise: Path
    run_script: Any

    def script(self, name: str, *args: object) -> Any:
        return self.run_script(name, *args, "--repo", self.repo.path, env={"NOISE": str(self.noise)})

    def init(self, *more: object) -> Any:
        flags = "--goal less --scope value.txt --metric-name score --direction lower --environment-summary none".split()
        made = self.script("init_run", *flags, "--verify", "python3 check.py", "--calibrate", 6, *more)
        assert made.code == 0, made.err
        return made.json

    def trial(self, text: str, *more: object) -> Any:
        self.repo.write("value.txt", text + "\n")
        done = self.script("run_trial", "--description", f"try {text}", *more)
        assert done.code == 0, done.err
        return done.json

    def runs(self) -> list[str]:
        return (self.noise / "runs").read_text().split()

    def events(self, kind: str) -> list[dict[str, Any]]:
        lines = self.repo.read("research-results.tsv").split("\n")
        found = [json.loads(line[9:], parse_float=Decimal) for line in lines if line.startswith("# event: ")]
        return [event for event in found if event["kind"] == kind]

    def evidence(self, iteration: int) -> Any:
        return json.loads(self.repo.read(f"autoresearch-evidence/{iteration:04d}/trial.json"))


@pytest.fixture
def project(repo: Repo, tmp_path: Path, run_script: Any) -> Project:
    repo.write("check.py", CHECK)
    repo.write("value.txt", "100\n")
    repo.commit("a check")
    noise = tmp_path / "noise"
    noise.mkdir()
    return Project(repo, noise, run_script)


def drawn(text: str, number: int) -> Decimal:
    """What the check says of a content at its n-th run."""
    return Decimal(f"{float(text) + random.Random(f'{text} {number}').gauss(0, 1):.3f}")


def test_calibration_finds_the_noise_and_says_what_can_be_seen(project):
    answer = project.init()
    assert answer["noise"]["kind"] == "noisy"
    assert answer["noise"]["samples"] == [float(drawn("100", n)) for n in range(6)]
    assert 0.5 < answer["noise"]["spread"] < 2 < 2.5 * answer["noise"]["smallest_detectable"]
    assert "are told from noise in 4 of 5 trials within 40 runs" in answer["message"]
    assert answer["warnings"] == []
    assert len(project.runs()) == 6


def test_an_edit_that_does_nothing_is_discarded_early(project):
    project.init()
    answer = project.trial("100.00")
    assert answer["status"] == "discard"
    assert "too unlikely" in answer["decision"]
    [event] = project.events("trial")
    assert event["runs"] == len(project.runs()) - 6 <= 10
    assert project.repo.read("value.txt") == "100\n"
    assert project.repo.status() == ""


def test_a_gain_is_kept_with_an_estimate_that_is_no_lucky_sample(project):
    before = Decimal(str(project.init()["baseline_metric"]))
    answer = project.trial("95")
    assert answer["status"] == "keep"
    [event] = project.events("trial")
    mine, theirs = (
        [drawn(text, first + n) for n in range(event["runs"] // 2)] for text, first in (("95", 0), ("100", 6))
    )
    verdict = sequential.judge(list(zip(mine, theirs)), sequential.NoiseRule("lower"))
    assert verdict.action == "keep" and verdict.estimate is not None
    estimate = Decimal(str(answer["metric"]))
    scale = paired.proportion(before, theirs)
    assert abs(estimate - (before - verdict.estimate * scale)) < Decimal("0.0001")
    assert Decimal(str(answer["retained_metric"])) == estimate > min(mine)
    low, high = (Decimal(str(limit)) for limit in event["interval"])
    assert low <= estimate <= high and low <= before - 5 <= high
    assert [Decimal(str(limit)) for limit in answer["interval"]] == [low, high]
    assert event["runs"] == len(project.runs()) - 6
    kept = project.evidence(1)
    assert [Decimal(str(sample["value"])) for sample in kept["samples"]] == mine
    assert [Decimal(str(sample["value"])) for sample in kept["retained_samples"]] == theirs
    assert all(sample["others"]["size"] for sample in kept["samples"] + kept["retained_samples"])
    assert project.repo.read("value.txt") == "95\n"


def test_the_order_within_pairs_is_random_but_can_be_drawn_again(project):
    project.init()
    project.trial("95")
    kept = project.evidence(1)
    seed = int.from_bytes(hashlib.sha256(kept["seed"].encode()).digest()[:8], "big")
    pairs = len(kept["samples"])
    wanted = [
        text
        for number in range(1, pairs + 1)
        for text in (("95", "100") if sequential.order(seed, number) else ("100", "95"))
    ]
    assert project.runs()[6:] == wanted
    assert kept["seed"] == kept["commits"][str(project.repo.path)]["trial"]


def test_an_open_question_ends_at_max_runs(project):
    project.init("--max-runs", 12)
    answer = project.trial("98")
    assert answer["status"] == "discard"
    assert "all that max-runs 12 allows" in answer["decision"]
    assert project.events("trial")[0]["runs"] == len(project.runs()) - 6 == 12


def test_with_too_few_runs_for_pairs_one_run_must_beat_the_spread(project):
    answer = project.init("--max-runs", 8)
    assert "one run a trial" in answer["message"]
    inside, beyond = project.trial("98.5"), project.trial("90")
    assert (inside["status"], beyond["status"]) == ("discard", "keep")
    assert "against a threshold of" in inside["decision"]
    assert [event["runs"] for event in project.events("trial")] == [1, 1]
    assert Decimal(str(beyond["retained_metric"])) == drawn("90", 0)


def test_a_gain_smaller_than_the_one_worth_having_is_discarded(project):
    project.init("--min-delta", "8")
    assert project.trial("95")["status"] == "discard"
    assert project.trial("80")["status"] == "keep"


@pytest.mark.parametrize(("text", "said"), [("95", "exit code 1"), ("100", "the retained state: exit code 1")])
def test_a_crash_in_a_pair_is_a_crash_with_its_samples(project, text, said):
    project.init()
    first = {"95": 0, "100": 6}[text]
    (project.noise / f"{text}-{first + 2}").write_text("crash")
    answer = project.trial("95")
    assert answer["status"] == "crash"
    assert said in answer["decision"]
    kept = project.evidence(1)
    assert len(kept["samples"]) + len(kept["retained_samples"]) in (5, 6)
    assert project.events("trial")[0]["runs"] == len(project.runs()) - 6
    assert project.repo.read("value.txt") == "100\n"
    assert project.repo.status() == ""


def test_a_kill_while_the_retained_content_is_shown_loses_nothing(project):
    project.init()
    (project.noise / "100-8").write_text("hang")
    project.repo.write("value.txt", "95\n")
    head = project.repo.git("rev-parse", "HEAD")
    command = [
        sys.executable,
        SCRIPTS / "autoresearch_run_trial.py",
        "--repo",
        project.repo.path,
        "--description",
        "95",
    ]
    child = subprocess.Popen(command, env={**os.environ, "NOISE": str(project.noise)}, start_new_session=True)
    deadline = time.monotonic() + HANG
    while not (project.noise / "hanging").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (project.noise / "hanging").exists()
    child.send_signal(signal.SIGKILL)
    child.wait(HANG)
    assert project.repo.read("value.txt") == "100\n"
    assert project.repo.git("rev-parse", "HEAD~1") == head
    (project.noise / "100-8").unlink()
    again = project.script("run_trial", "--description", "95").json
    assert "took back to an uncommitted edit" in again["recovered"]
    assert (again["iteration"], again["status"]) == (1, "keep")
    assert project.repo.read("value.txt") == "95\n"
    assert project.repo.git("rev-list", "--count", f"{head}..HEAD") == "1"


def test_an_exact_metric_costs_one_run_a_trial(project):
    project.repo.write("check.py", 'print("METRIC score=" + open("value.txt").read())\n')
    project.repo.commit("an exact check")
    assert project.init()["noise"]["kind"] == "exact"
    assert [project.trial(text)["status"] for text in ("99", "99.5", "98")] == ["keep", "discard", "keep"]
    assert [event["runs"] for event in project.events("trial")] == [1, 1, 1]
