"""The tuner, driven as agents drive it: one row, its samples in evidence, and nothing left of a killed search."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from autoresearch.tune import tuning

from tests.conftest import SCRIPTS, Repo
from tests.lab import Lab, refused

CODE = "WIDTH = 3\nRATE = 0.9\n"
CHECK = "import src.m as m; print((m.WIDTH - 23) ** 2 + round(100 * abs(m.RATE - 0.25)))"


@pytest.fixture
def lab(repo: Repo, run_script) -> Lab:
    """A run on a module of constants."""
    repo.write("src/m.py", CODE)
    repo.write("check.py", CHECK)
    repo.commit("numbers")
    made = Lab(repo, run_script)
    made.init(verify=f"{sys.executable} -B check.py", guard="")
    return made


def constant(name: str, low: object, high: object, scale: str = "linear") -> list[object]:
    """The flags of one constant."""
    return ["--constant", "src/m.py", rf"{name} = ([\d.]+)", low, high, scale]


def test_one_constant_is_found_by_golden_section_and_is_one_row(lab):
    answer = lab.call("tune", *constant("WIDTH", 1, 60), "--description", "the width").json
    lab.sound()
    assert (answer["status"], answer["tuned"]) == ("keep", [23])
    assert lab.path.joinpath("src/m.py").read_text().startswith("WIDTH = 23\n")
    assert [row.status for row in lab.rows()] == ["baseline", "keep"]
    assert "the width (3 to 23) (best of" in lab.rows()[1].description
    samples = json.loads(lab.evidence("0001/tune.json").read_text())["samples"]
    assert {"values": [23], "metric": [65]} in samples and len(samples) == lab.events("trial")[0]["searched"]


def test_two_constants_are_found_by_pattern_search_within_the_runs(lab):
    flags = [*constant("WIDTH", 1, 60), *constant("RATE", 0.01, 1, "log")]
    answer = lab.call("tune", *flags, "--description", "both", "--runs", 30).json
    assert answer["status"] == "keep" and answer["metric"] <= 30 and answer["measured"] <= 30
    assert len(lab.rows()) == 2


def test_what_cannot_be_searched_is_refused_with_nothing_recorded(lab):
    def tune(*flags: object) -> str:
        return refused(lab.call("tune", "--description", "x", *flags))

    assert "fits 0 places" in tune(*constant("DEPTH", 1, 2))
    assert "LOW below HIGH" in tune(*constant("WIDTH", 9, 2))
    assert "one group" in tune("--constant", "src/m.py", "WIDTH = 3", 1, 9, "linear")
    assert "outside the scope" in tune("--constant", "check.py", r"\*\* (2)", 1, 9, "linear")
    lab.repo.write("src/m.py", CODE + "#\n")
    assert "uncommitted changes in src/m.py" in tune(*constant("WIDTH", 1, 60))
    assert len(lab.rows()) == 1


def test_a_killed_search_leaves_todays_values(lab):
    """Killed at five instants of the search and its trial; the next command leaves the tree as it was, or the keep."""
    command = [sys.executable, str(SCRIPTS / "autoresearch_tune.py"), "--repo", str(lab.path), "--description", "x"]
    command += map(str, constant("WIDTH", 1, 60))
    for number in range(5):
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(0.3 + 0.15 * number)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        answer = lab.call("tune", "--constant", "src/m.py", r"DEPTH = (\d)", 1, 2, "linear", "--description", "mend")
        assert answer.code == 1
        kept = lab.rows()[-1].status == "keep"
        assert lab.path.joinpath("src/m.py").read_text() == ("WIDTH = 23\nRATE = 0.9\n" if kept else CODE)
        assert lab.repo.status() == ""
        lab.sound()


def test_under_noise_the_better_half_is_measured_again():
    import random

    dice = random.Random(3)
    counts: dict[tuple[float, ...], int] = {}

    def score(point: tuple[float, ...]) -> float:
        counts[point] = counts.get(point, 0) + 1
        return abs(point[0] - 0.6) + dice.gauss(0, 0.05)

    found = tuning.noisy((0.0,), score, 60, dice.shuffle)
    assert sum(counts.values()) <= 60 and abs(tuning.best(found)[0] - 0.6) < 0.15
    assert len(found[tuning.best(found)]) == max(map(len, found.values())) > len(found[(0.0,)])
