"""Side lines where the number is noisy: the tip is compared in turns, adopted, tried on the main line, or left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.conftest import HANG, SCRIPTS
from tests.lab import Lab
from tests.lines.test_side_lines import line, put, values

# A sum of thousands, and up to 255 of noise.
NOISY = "n=$(cat src/*.n | paste -sd+ - | bc) && echo $((1000 * n + $(od -An -N1 -tu1 /dev/urandom)))"


@pytest.fixture
def noisy(lab: Lab) -> Lab:
    """A keep in b and one in c, ideas in `a` without a gain, and a side line from iteration 1.

    What c gains is more than the line will, for tips that are alike are adopted at times.
    """
    for name in "abc":
        lab.repo.write(f"src/{name}.n", "10\n")
    lab.repo.commit("files")
    lab.init("--side-lines", 1, "--max-runs", 12, verify=NOISY, guard="")
    put(lab, "b", 8, "keep")
    put(lab, "c", 7, "keep")
    put(lab, "a", 11, "discard")
    for name in "xyz":
        told = lab.recorded("pivot", "--description", name)
    assert told["next"]["action"] == "line"
    assert line(lab)["line"] == "b from 1"
    return lab


def killed_while_it_compares(lab: Lab) -> None:
    """The comparison of the tips, killed in its third run or later."""
    command = [sys.executable, str(SCRIPTS / "autoresearch_line.py"), "--repo", str(lab.path)]
    null = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=null, stdout=null, stderr=null, start_new_session=True) as child:
        end = time.monotonic() + HANG
        while not lab.evidence("line/verify-2.out").exists() and child.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        os.killpg(child.pid, signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL


def stall(lab: Lab) -> None:
    """Five ideas that gain nothing."""
    for value in range(21, 26):
        put(lab, "a", value, "discard")


def shown(lab: Lab) -> dict[str, Any]:
    """What report, watch and a clean branch say: nothing of the side line's past is lost or taken for the main one."""
    report: dict[str, Any] = lab.call("report", "--format", "json").json
    assert "grows beside" not in lab.call("watch", "--once", "--format", "text").out
    made = lab.call("finalize", "--branch", "clean")
    assert made.code == 0, made.err
    assert lab.repo.git("rev-parse", "clean^{tree}") == lab.repo.git("rev-parse", "HEAD^{tree}")
    branch = [number for commit in made.json["commits"] for number in commit["iterations"]]
    return {"kept": branch, "line": report["lines"][0], "page": lab.evidence("report.html").read_text()}


def test_a_better_tip_is_adopted_in_turns_also_after_a_kill(noisy: Lab):
    assert "Line    b from 1 grows beside the main one" in noisy.call("watch", "--once", "--format", "text").out
    put(noisy, "a", 3, "keep")
    stall(noisy)
    killed_while_it_compares(noisy)
    answer = line(noisy)
    assert (values(noisy), answer["line"]) == (["3", "8", "10"], "")
    assert "[LINE b from 1] adopted: " in answer["steps"][-1]
    turns = json.loads(next(noisy.evidence("").glob("*/line.json")).read_text())
    assert len(turns["samples"]) == len(turns["retained"]) >= 4
    assert abs(float(answer["retained_metric"]) / 1000 - 21) < 0.5
    told = shown(noisy)
    assert told["kept"] == [1, 8] and told["line"]["fate"].startswith("adopted: ") and "b from 1</text>" in told["page"]


@pytest.mark.parametrize(("value", "kept", "fate"), [(9, True, "a part of it is kept"), (10, False, "left")])
def test_else_its_patches_are_tried_on_the_main_line_or_it_is_left(noisy: Lab, value: int, kept: bool, fate: str):
    if not kept:
        noisy.repo.write("src/c.n", "7\n")  # what the main line has already
    put(noisy, "a", value, "keep")
    stall(noisy)
    noisy.call("line")
    assert (values(noisy), noisy.state()["state"]["line"]) == ([str(value) if kept else "10", "8", "7"], "")
    told = shown(noisy)
    assert fate in told["line"]["fate"]
    assert told["kept"][:2] == [1, 2] and len(told["kept"]) == 2 + kept
