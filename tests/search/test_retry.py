"""Stored attempts on today's state: a row of their own, no iteration of the budget, nothing left by a kill."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from autoresearch.kernel.disk.journal import Events, Log
from autoresearch.search import thought

from tests.faults.killer import Killer
from tests.lab import Lab, refused, start_trial

# The sum over all files; "broken" goes while two files disagree on their unit.
SUM = "cat src/*.n | grep -v x | paste -sd+ - | bc"
AGREE = "test $(tail -1 src/a.n) -eq $(tail -1 src/b.n)"


def text(number: int, unit: int = 0) -> str:
    """A file's number and, some lines away, its unit."""
    return f"{number}\n" + "".join(f"x {n}\n" for n in range(9)) + f"{unit}\n"


@pytest.fixture
def three(lab: Lab) -> Lab:
    """A run over three files of two numbers each; the guard wants the second ones of a and b equal."""
    for name in "abc":
        lab.repo.write(f"src/{name}.n", text(10))
    lab.repo.commit("files")
    lab.init("--iterations", 9, verify=SUM, guard=AGREE)
    return lab


def failed_then_kept(lab: Lab) -> None:
    """Trial 1 fails the guard, trial 2 makes the ground on which it would pass."""
    lab.repo.write("src/a.n", text(5, 1))
    assert lab.trial(description="needs b")["guard"] == "fail"
    lab.repo.write("src/b.n", text(4, 1))
    lab.repo.write("src/a.n", text(10, 1))
    assert lab.trial(description="b too")["status"] == "keep"


def test_a_failure_of_the_guard_is_kept_on_new_ground(three: Lab):
    failed_then_kept(three)
    refused(three.call("run_trial", "--retry", "2"), "cannot be tried again")
    refused(three.call("run_trial", "--retry", "one"), "is no iteration")
    three.repo.write("src/c.n", text(11))
    refused(three.call("run_trial", "--retry", "1"), "uncommitted changes in src/c.n")
    three.repo.git("restore", "src/c.n")
    answer = three.call("run_trial", "--retry", "1").json
    assert (answer["status"], answer["metric"], answer["guard"]) == ("keep", 21, "pass")
    assert three.rows()[-1].description == "[RETRY 1] needs b"
    assert answer["next"]["left"]["iterations"] == 7
    assert (three.log().state.own, three.log().state.keeps) == (1, 2)
    assert three.events("trial")[-1]["own"] == [1]
    three.sound()


def test_two_at_once_and_no_strike(three: Lab):
    for name in "bc":
        three.repo.write(f"src/{name}.n", text(11))
        assert three.trial(description=f"worse {name}")["status"] == "discard"
    answer = three.call("run_trial", "--retry", "1,2").json
    assert (answer["status"], answer["metric"]) == ("discard", 32)
    assert three.rows()[-1].description == "[PAIR 1+2] worse b + worse c"
    assert three.state()["state"]["consecutive_discards"] == 2
    assert answer["next"]["action"] == "continue"
    assert three.repo.status() == ""
    refused(three.call("run_trial", "--retry", "1"), "this exact change was tried as iteration 1")
    assert three.repo.status() == ""


def test_what_no_longer_fits_is_refused(three: Lab):
    three.repo.write("src/c.n", text(12))
    three.trial(description="worse")
    three.repo.write("src/c.n", text(9))
    three.trial(description="better")
    refused(three.call("run_trial", "--retry", "1"), "does not fit onto today's state")


def test_nobody_types_the_mark(three: Lab):
    three.repo.write("src/c.n", text(9))
    three.trial(description="[RETRY 3] mine")
    assert three.rows()[-1].description == "RETRY 3] mine"
    assert three.log().state.own == 0


def test_killed_after_each_call_of_git(three: Lab, tmp_path: Path):
    failed_then_kept(three)
    killer, saved = Killer(tmp_path / "faults"), tmp_path / "saved"
    subprocess.run(["cp", "-a", str(three.path), str(saved)], check=True)
    flags = ("--retry", "1")
    assert start_trial(three, *flags, env=killer.env(0, "never")).wait() == 0
    total = int(killer.count.read_text())
    for at in range(2, total + 1, 4):
        subprocess.run(["rm", "-rf", str(three.path)], check=True)
        subprocess.run(["cp", "-a", str(saved), str(three.path)], check=True)
        if not killer.struck(start_trial(three, *flags, env=killer.env(at, "after")), at, total):
            continue
        ran = three.call("run_trial", *flags)
        kept = [row.metric for row in three.rows() if row.status == "keep"]
        assert kept == [26, 21], (at, ran.err)
        assert [row.is_own for row in three.rows()].count(True) == 1
        assert three.repo.status() == ""
        three.sound()


def test_no_thought_goes_before_the_tools_own_trials(monkeypatch: pytest.MonkeyPatch):
    log: list[dict[str, Any]] = [{"kind": "start", "at": "2026-03-25T01:00:00Z"}]
    log += [{"kind": "trial", "at": f"2026-03-25T01:0{n}:10Z", "took": 10, "iteration": n} for n in (1, 2)]
    log += [{"kind": "trial", "at": "2026-03-25T01:02:30Z", "took": 20, "iteration": 3, "own": [1]}]
    known = thought.of(Log({}, (), Events(log)))
    assert (known.thinking, known.measuring, known.ratio) == (60, 10, 6)
    assert (known.total, known.own) == (150, 40), "what none of the checks took, here all of it"
    assert 0.26 < known.share < 0.27 and not known.affords(0)
    # Of 10 s of a trial verify took 6, parts of the edit 2 and the guard 1: 1 is left for the tool.
    log[1:] = [
        {"kind": "trial", "at": "2026-03-25T01:01:00Z", "took": 10, "seconds": 6, "told": {"salvage_seconds": 2}}
    ]
    known = thought.of(Log({}, (), Events(log)), guard=1.0)
    assert (known.total, known.own, known.affords(5), known.affords(6)) == (60, 1, True, False)
    log[1:] = [{"kind": "trial", "at": f"2026-03-25T01:0{n}:10Z", "took": 10, "iteration": n} for n in (1, 2)]
    log += [{"kind": "trial", "at": "2026-03-25T01:02:30Z", "took": 20, "iteration": 3, "own": [1]}]
    monkeypatch.setattr(thought, "LATEST", 2)
    latest = thought.of(Log({}, (), Events(log)))
    assert (latest.thinking, latest.measuring) == (50, 20)


def test_the_price_counts_no_pause_no_batch_and_no_wait():
    def priced(*trials: tuple[int, str, dict[str, Any]]) -> thought.Pace:
        log: list[dict[str, Any]] = [{"kind": "start", "at": "2026-03-25T01:00:00Z"}]
        log += [{"kind": "trial", "at": f"2026-03-25T{at}Z", "took": 10, "seconds": 10, "iteration": number, **more}
                for number, at, more in trials]  # fmt: skip
        return thought.of(Log({}, (), Events(log)), guard=0.0)

    away: list[tuple[int, str, dict[str, Any]]] = [
        (1, "01:01:10", {}),
        (2, "06:01:20", {}),
        (3, "06:02:30", {}),
        (4, "06:03:40", {}),
    ]
    known = priced(*away)
    assert (known.thinking, known.measuring, known.total) == (60, 10, 220), "five hours in which the user was away"
    known = priced((1, "01:01:10", {}), (7, "01:31:20", {}), (8, "01:32:30", {}))
    assert (known.thinking, known.total) == (60, 150), "a batch of five rows lies between 1 and 7"
    assert priced((1, "01:00:10", {}), (2, "01:30:20", {})).total == 1820, "half an hour is no pause"
    waits = {"took": 40, "why": "no gain; 30 s were waited for a calmer machine"}
    assert priced((1, "01:01:40", waits), (2, "01:02:50", {"took": 30, "confirm": "pass"})).own == 0


def test_a_crash_that_was_not_the_edits_fault_is_run_again_unchanged(lab: Lab, tmp_path: Path):
    away = tmp_path / "away"
    lab.init("--iterations", 9, verify=f"test ! -e {away} && cat src/value")
    away.touch()
    crashed = lab.trial(8)
    assert (crashed["status"], "--retry 1 runs it unchanged" in crashed["next"]["do"]) == ("crash", True)
    away.unlink()
    again = lab.call("run_trial", "--retry", "1").json
    assert (again["status"], again["metric"]) == ("keep", 8)
