"""Two sessions in one tree: what one of them left waiting is run as what it is, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from autoresearch.hooks import live_sessions

from tests.lab import Lab, refused


@pytest.fixture
def two(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Lab:
    """A foreground run whose session `A` has left a trial waiting; the lab is session `B` from now on."""
    records = tmp_path / "codex-home" / "sessions" / "2026" / "01" / "01"
    records.mkdir(parents=True)
    turn = {"cwd": str(lab.path), "sandbox_policy": {"type": "danger-full-access"}}
    for name in ("A", "B"):
        line = json.dumps({"type": "turn_context", "payload": turn})
        (records / f"rollout-2026-01-01T00-00-00-{name}.jsonl").write_text(line + "\n")
        live_sessions.note(name)
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "codex-home"))
    lab.init()
    lab.env["CODEX_THREAD_ID"] = "A"
    lab.value(9)
    assert lab.try_out("--queue", description="the one of A").json["status"] == "queued"
    lab.env["CODEX_THREAD_ID"] = "B"
    return lab


def note(lab: Lab) -> Path:
    """Where the trial waits."""
    return lab.evidence("queue.json")


@pytest.mark.parametrize("way", ["--inline", "--queue"])
def test_the_edit_of_another_session_is_not_measured_as_ones_own(two: Lab, way: str):
    said = refused(two.try_out(way, description="mine"), "another session left waiting", "the one of A", "src/value")
    assert "run_trial --waiting" in said and note(two).exists() and len(two.rows()) == 1
    ran = two.call("run_trial", "--waiting").json  # as the refusal says
    assert (ran["status"], two.rows()[-1].description) == ("keep", "the one of A")
    assert two.trial(8, "--inline", description="mine")["status"] == "keep"


def test_an_edit_beside_it_is_put_aside_first(two: Lab):
    two.repo.write("src/other file", "B's\n")
    refused(two.try_out("--inline"), "another session left waiting")
    said = refused(two.call("run_trial", "--waiting"), "src/other file changed beside", "git stash push -u -- ")
    assert note(two).exists()
    two.repo.git("stash", "push", "-u", "--", "src/other file")
    assert "git stash push -u -- 'src/other file'" in said
    assert two.call("run_trial", "--waiting").json["status"] == "keep"
    two.repo.git("stash", "pop")
    assert two.try_out("--inline", description="mine").json["iteration"] == 2
    two.sound()


def test_an_edit_over_it_is_another_experiment(two: Lab):
    two.value(7)
    refused(two.call("run_trial", "--waiting"), "changed after it was left waiting (src/value)")
    assert not note(two).exists() and two.repo.read("src/value") == "7\n"
    assert two.trial(None, "--inline", description="mine")["metric"] == 7


def test_the_session_itself_may_think_again(two: Lab):
    two.env["CODEX_THREAD_ID"] = "A"
    assert two.trial(7, "--inline", description="better")["status"] == "keep"
    assert not note(two).exists()


def test_whoever_takes_the_run_up_is_told(two: Lab):
    reasons = two.call("resume_check").json["reasons"]
    assert any("left it waiting" in reason and "--waiting" in reason for reason in reasons), reasons
