"""Stopping at any instant, and a status that is true after every kind of death."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from autoresearch.background import stopping
from autoresearch.kernel.disk.layout import Layout
from autoresearch.kernel.system import platform, process
from autoresearch.safeguard import strays

from tests.background.conftest import Scripted
from tests.lab import running_below
from tests.unattended import TRIAL, alive, kill, until

# Ignores the polite signals and has a child in a session of its own that does so too.
STUBBORN = """[ -e ../calm ] && exec cat value
trap '' TERM INT
[ -e ../measured ] || { echo 10; exit; }
setsid sh -c 'trap "" TERM INT; echo $$ > ../child; while :; do sleep 1; done' &
while :; do sleep 1; done"""


def started(background: Scripted, *args: object) -> dict[str, object]:
    """Launch a run whose first trial never ends; return its session."""
    (background.repo.path.parent / "verify.sh").write_text(STUBBORN)
    background.plan(["touch ../measured; echo 9 > value", TRIAL])
    ran = background.launch(*args, "--verify-timeout", 600, verify="sh ../verify.sh")
    assert ran.code == 0, ran.err
    child = background.repo.path.parent / "child"
    assert until(lambda: child.exists() and child.read_text().strip()), background.log()
    return background.session()


def test_stop_ends_everything_and_undoes_the_trial(background: Scripted):
    session = started(background)
    child = int((background.repo.path.parent / "child").read_text())
    head = background.repo.git("rev-parse", "HEAD~1")
    ran = background.ctl("stop", "--grace-seconds", 2)  # the check never ends: whoever waits for it hangs
    assert (ran.code, ran.json["status"], ran.json["reason"], ran.json["alive"]) == (0, "stopped", "user_stopped", [])
    assert process.pids_with_mark(str(session["mark"])) == () and not alive(child)
    assert background.repo.git("rev-parse", "HEAD") == head
    assert (background.repo.read("value"), background.repo.status()) == ("10\n", "")
    assert background.statuses() == ["baseline"]
    assert "+9" in background.repo.read("autoresearch-evidence/0001/undone.diff")


DAEMON = "setsid env -i sh -c '(sleep 97 &) ; (sleep 98 &)' >/dev/null 2>&1 </dev/null"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="macOS has no subreaper")
def test_a_daemon_of_a_session_without_our_mark_is_ended_and_told(background: Scripted):
    background.plan([DAEMON])
    assert background.launch("--max-stagnation", 1).code == 0
    assert background.ended()["reason"] == "stagnated"
    assert running_below(background.repo.path) == []
    assert "left processes behind, which were ended: sleep 9" in background.log()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="macOS has no subreaper")
@pytest.mark.parametrize("dies", [True, False])
def test_a_daemon_of_a_session_is_ended_by_stop_also_where_the_controller_was_killed(background: Scripted, dies: bool):
    background.plan([DAEMON, {"silent": 300}])
    assert background.launch().code == 0
    note = background.repo.path / "autoresearch-evidence/session" / strays.NAME
    assert until(
        lambda: (
            note.exists() and all(pid in note.read_text() for pid in (sleeping(background.repo.path) or ["none yet"]))
        )
    )
    if dies:
        kill(background.record()["pid"], signal.SIGKILL)
    assert background.ctl("stop", "--grace-seconds", 2).code == 0
    assert running_below(background.repo.path) == []
    assert not note.exists()


def sleeping(folder: Path) -> list[str]:
    """The ids of what sleeps in a folder."""
    found = (pid for pid, _ in platform.listing("sleep"))
    return [str(pid) for pid in found if platform.working_folder(pid) == os.path.realpath(folder)]


def test_a_stopped_run_goes_on_with_start(background: Scripted):
    started(background, "--stop-condition", "<= 1")
    background.ctl("stop", "--grace-seconds", 1)
    (background.repo.path.parent / "calm").touch()
    background.plan(["true"], ["echo 1 > value", TRIAL])
    ran = background.ctl("start")
    assert (ran.json["status"], ran.json["retained_metric"]) == ("running", 10)
    assert background.ended()["reason"] == "goal_reached"
    assert background.status()["spent"]["sessions"] == 2


def test_stop_while_it_waits(background: Scripted):
    background.plan([{"fail": "429 Too Many Requests", "class": "rate_limited", "after": 36_000}])
    background.launch()
    assert until(lambda: background.record().get("waiting_until"))
    waiting = background.status()
    assert waiting["status"] == "running" and "rate_limited" in waiting["waiting_for"] and waiting["waiting_until"]
    assert "429" in waiting["last_error"]
    assert background.ctl("stop").json["reason"] == "user_stopped"  # not ten hours later
    assert background.status()["status"] == "stopped"


def test_stop_where_nothing_runs(background: Scripted):
    assert background.ctl("stop").json["status"] == "idle"
    background.plan(["echo 1 > value", TRIAL])
    background.launch("--stop-condition", "<= 1")
    background.ended()
    assert background.ctl("stop").json["reason"] == "goal_reached"


def test_a_killed_controller_is_not_running_and_its_session_is_named(background: Scripted):
    session = started(background)
    kill(background.record()["pid"], signal.SIGKILL)
    found = until(lambda: background.status() if background.status()["reason"] == "controller_lost" else None)
    assert (found["status"], found["pid"], found["session"]["pid"]) == ("needs_human", None, session["pid"])
    assert background.record()["status"] == "running"  # what it wrote last, and nobody believes
    assert background.ctl("stop", "--grace-seconds", 1).json["reason"] == "user_stopped"
    assert process.pids_with_mark(str(session["mark"])) == ()
    assert background.repo.status() == ""


def test_start_takes_over_what_a_killed_controller_left(background: Scripted):
    session = started(background, "--stop-condition", "<= 1")
    kill(background.record()["pid"], signal.SIGKILL)
    (background.repo.path.parent / "calm").touch()
    background.plan(["true"], ["echo 1 > value", TRIAL])
    assert background.ctl("start").code == 0
    assert background.ended()["reason"] == "goal_reached"
    assert process.pids_with_mark(str(session["mark"])) == ()
    assert background.statuses() == ["baseline", "keep"]


def test_a_controller_from_before_a_reboot_is_a_stopped_one(background: Scripted):
    session = started(background)
    kill(background.record()["pid"], signal.SIGKILL)
    process.end_marked(str(session["mark"]), 0.2)
    stranger = subprocess.Popen(["sleep", "300"])
    try:
        record = background.record()
        record.update(pid=stranger.pid, identity=f"1@{'0' * 36}")
        record["session"].update(pid=stranger.pid, identity=f"2@{'0' * 36}")
        background.repo.write("autoresearch-runtime.json", json.dumps(record))
        found = background.status()
        assert (found["status"], found["reason"], found["pid"]) == ("stopped", "controller_lost", None)
        assert background.ctl("stop").json["status"] == "stopped"
        assert stranger.poll() is None
        assert background.repo.status() == ""
    finally:
        stranger.kill()
        stranger.wait()


def test_a_hung_controller_is_replaced(background: Scripted):
    session = started(background)
    os.kill(background.record()["pid"], signal.SIGSTOP)
    assert background.ctl("stop", "--grace-seconds", 2).json["reason"] == "user_stopped"  # it is not waited for
    assert process.pids_with_mark(str(session["mark"])) == ()


def test_a_controller_that_is_asked_to_end_cleans_up_by_itself(background: Scripted):
    background.plan(["echo 9 > value; sleep 300"])
    background.launch()
    session = until(lambda: background.repo.read("value") == "9\n" and background.session())
    kill(background.record()["pid"], signal.SIGTERM)
    assert background.ended()["reason"] == "user_stopped"
    assert process.pids_with_mark(session["mark"]) == ()
    assert (background.repo.read("value"), background.repo.status()) == ("10\n", "")


def test_a_killed_session_is_followed_by_the_next(background: Scripted):
    background.plan(["sleep 300"], ["echo 1 > value", TRIAL])
    background.launch("--stop-condition", "<= 1")
    assert until(lambda: "sleep 300" in background.events())
    session = background.session()
    kill(session["pid"], signal.SIGKILL)  # its shell command lives on, as that of a killed wrapper does
    assert background.ended()["reason"] == "goal_reached"
    assert process.pids_with_mark(session["mark"]) == ()


def test_an_edit_of_what_is_measured_is_kept_aside(background: Scripted):
    started(background)
    background.repo.write("value", "77\n")  # somebody edits what is being measured
    ran = background.ctl("stop", "--grace-seconds", 1)
    assert (ran.code, ran.json["reason"]) == (0, "user_stopped")
    assert (background.repo.read("value"), background.repo.status()) == ("10\n", "")
    assert [p.read_text() for p in background.repo.path.glob("autoresearch-evidence/*/aside/value")] == ["77\n"]


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 9}', '{"version": 1, "status": "dancing"}'])
def test_an_unreadable_record_is_a_matter_for_a_human(background: Scripted, text: str):
    background.repo.write("autoresearch-runtime.json", text)
    found = background.status()
    assert (found["status"], found["reason"]) == ("needs_human", "invalid_runtime_state")


def test_a_fresh_start_ends_what_a_killed_controller_left(background: Scripted):
    session = started(background)
    kill(background.record()["pid"], signal.SIGKILL)
    (background.repo.path.parent / "calm").touch()
    background.plan(["true"], ["echo 1 > value", TRIAL])
    assert background.launch("--fresh-start", "--stop-condition", "<= 1").code == 0
    assert background.ended()["reason"] == "goal_reached"
    assert process.pids_with_mark(str(session["mark"])) == ()


def test_what_cannot_be_ended_is_named(background: Scripted, monkeypatch: pytest.MonkeyPatch):
    background.plan([{"silent": 300}])
    background.launch()
    until(background.session)
    monkeypatch.setattr(stopping, "end", lambda mark, leader, grace: process.marked(mark))  # as if it hung in a device
    root = background.repo.path
    names = ("research-results.tsv", "autoresearch-state.json", "autoresearch-launch.json", "autoresearch-runtime.json")
    layout = Layout(root, *(root / name for name in names))
    answer = stopping.stop(layout, 60)
    assert (answer["status"], answer["reason"]) == ("needs_human", "stop_failed")
    assert any("stand_in.py" in name for name in answer["alive"]) and "stand_in.py" in answer["detail"]
    assert background.status()["reason"] == "stop_failed"
    assert background.ctl("stop", "--grace-seconds", 1).json["status"] == "stopped"


def test_stop_at_any_instant_leaves_the_retained_state(background: Scripted):
    edit = "n=$(ls ../edits | wc -l); touch ../edits/$n; echo $((10 - n)) > value"
    (background.repo.path.parent / "edits").mkdir()
    background.plan([edit, TRIAL] * 200)
    for seconds in (0.1, 0.4, 0.7, 1.1, 1.6):  # whatever it hits: an edit, a commit, the check, the record
        ran = background.ctl("start") if background.record() else background.launch()
        assert ran.code == 0, ran.err
        time.sleep(seconds)
        assert background.ctl("stop", "--grace-seconds", 60).json["reason"] == "user_stopped", background.log()
        heads = [
            line for line in background.repo.read("research-results.tsv").splitlines() if '"kind": "heads"' in line
        ]
        assert background.repo.git("rev-parse", "HEAD") in heads[-1]
        assert background.repo.status() == ""
        assert int(background.repo.read("value")) == background.status()["retained_metric"]
