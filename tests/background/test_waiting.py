"""Trials that a session leaves waiting: the controller runs them while no session lives."""

from __future__ import annotations

import json
import os
import signal

import pytest
from autoresearch.kernel.system import process

from tests.background.conftest import Scripted
from tests.lab import Lab, refused
from tests.unattended import TRIAL, until

QUEUED = f"{TRIAL} --queue"


def step(value: int) -> list[object]:
    """One experiment that is left waiting."""
    return [f"echo {value} > value", QUEUED]


def answers(background: Scripted) -> list[dict[str, object]]:
    """What the sessions' trials answered."""
    return [json.loads(line) for line in background.outputs().splitlines() if line.startswith("{")]


def test_the_next_session_opens_with_the_answer(background: Scripted):
    background.plan(step(9), step(5))
    background.launch("--stop-condition", "<= 5")
    assert background.ended()["reason"] == "goal_reached"
    assert background.statuses() == ["baseline", "keep", "keep"]
    first = answers(background)[0]
    assert (first["status"], first["next"]["action"]) == ("queued", "end_turn")  # type: ignore[index]
    assert '| answer of the last trial: {"iteration": 1, "status": "keep", "metric": 9' in background.prompts()[1]
    assert background.repo.status() == ""
    assert not (background.repo.path / "autoresearch-evidence" / "queue.json").exists()


def test_a_short_thread_is_gone_on_with(background: Scripted):
    background.plan([*step(9), {"context": 1000}], [*step(8), {"context": 60_000}], step(5))
    background.launch("--stop-condition", "<= 5", "--resume-tokens", 50_000)
    ended = background.ended()
    assert (ended["reason"], ended["spent"]["sessions"]) == ("goal_reached", 3)
    assert [background.argv(number) for number in (1, 2, 3)] == [[], ["--resume", "thread-1"], []]
    assert background.prompts()[1].startswith("The trial that you left waiting was run.")
    assert background.prompts()[2].startswith("You take up an autoresearch run")
    # 110 tokens are the sum over a thread: what it had used before is not counted again
    assert ended["spent"]["tokens"] == 220


def test_a_refused_one_is_told(background: Scripted):
    background.plan(step(11), ["echo 11 > value", QUEUED, "echo 5 > value", QUEUED])
    background.launch("--stop-condition", "<= 5")
    assert background.ended()["reason"] == "goal_reached"
    assert background.statuses() == ["baseline", "discard", "keep"]
    assert "this exact change was tried as iteration 1" in background.outputs()


def test_an_evaluator_changed_behind_the_note_is_refused_and_told(background: Scripted):
    background.plan([*step(9), "echo more > README.md"], step(5))
    background.launch("--stop-condition", "<= 5")
    assert background.ended()["reason"] in ("goal_reached", "blocked", "stagnated")
    assert "refused: " in background.log() and "README.md" in background.log()
    assert background.repo.read("README.md") == "more\n"  # out of scope: the user's to look at


def killed(background: Scripted, number: int = signal.SIGKILL) -> None:
    """Kill the controller and wait until it is gone."""
    record = background.record()
    os.kill(record["pid"], number)
    assert until(lambda: process.identity(record["pid"]) != record["identity"])


SLOW = 'test -e "$GO" || sleep 3600; cat value'  # a name that is no part of the evaluator


def measured(background: Scripted) -> bool:
    """Whether the controller runs a trial that was left waiting."""
    return bool((background.record().get("session") or {}).get("mark", "").startswith("waiting-"))


def test_a_killed_controller_loses_nothing_of_a_waiting_trial(background: Scripted):
    go = background.home / "go"
    background.env["GO"] = str(go)
    go.touch()
    background.plan(step(5))
    background.launch("--stop-condition", "<= 5", verify=SLOW)
    go.unlink()
    assert until(lambda: measured(background)), (background.log(), background.record(), background.outputs())
    killed(background)
    go.touch()
    assert background.ctl("start").json["status"] == "running"
    assert background.ended()["reason"] == "goal_reached"
    assert background.statuses() == ["baseline", "keep"] and len(background.prompts()) == 1
    assert background.repo.status() == ""


def test_stop_takes_a_waiting_trial_back(background: Scripted):
    go = background.home / "go"
    background.env["GO"] = str(go)
    go.touch()
    background.plan(step(5))
    background.launch(verify=SLOW)
    go.unlink()
    assert until(lambda: measured(background)), (background.log(), background.record(), background.outputs())
    stopped = background.ctl("stop", "--grace-seconds", 5).json
    assert (stopped["status"], stopped["reason"]) == ("stopped", "user_stopped")
    assert (background.repo.read("value"), background.repo.status()) == ("10\n", "")
    assert "+5" in background.repo.read("autoresearch-evidence/0001/undone.diff")
    assert not (background.repo.path / "autoresearch-evidence" / "queue.json").exists()


def test_without_anybody_it_is_run_at_once(lab: Lab):
    lab.init()
    assert lab.trial(9, "--queue")["status"] == "keep"


def test_where_the_sandbox_cannot_be_had_nothing_of_a_sandboxed_run_waits(background: Scripted):
    """The plain agent has no sandbox of its own, so its trial is run by the session, where its code may run."""
    background.plan(step(5))
    background.launch("--execution-policy", "workspace_write", "--stop-condition", "<= 5")
    assert background.ended()["reason"] == "goal_reached"
    assert '"queued"' not in background.outputs() and "runs the trial" not in background.log()
    assert background.statuses() == ["baseline", "keep"]


def test_nothing_waits(lab: Lab):
    lab.init()
    ran = lab.call("run_trial", "--waiting")
    assert (ran.code, ran.json) == (0, {})
    refused(lab.call("run_trial"), "--description is missing")


@pytest.mark.parametrize("way", ["--inline", "--queue"])
def test_one_way_at_a_time(lab: Lab, way: str):
    assert lab.try_out(way, "--waiting").code == 2
