"""A controller that another tool started is seen, respected and ended; and what `launch` says and refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.background.conftest import STAND_IN, Scripted
from tests.conftest import HANG, SCRIPTS, Ran
from tests.unattended import TRIAL, alive, kill, until


@pytest.fixture
def theirs(background: Scripted) -> Iterator[subprocess.Popen[bytes]]:
    """Return a process in a group of its own, which the runtime file names as the controller."""
    command = [sys.executable, "-c", "import time; time.sleep(300)"]
    with subprocess.Popen(command, start_new_session=True) as child:
        record = {"version": 1, "status": "running", "pid": child.pid, "pgid": child.pid, "their_key": 1}
        background.repo.write("autoresearch-runtime.json", json.dumps(record))
        yield child
        kill(child.pid, 9)


def call(background: Scripted, name: str, *flags: object) -> Ran:
    return background._run_script(name, "--repo", background.repo.path, *flags, env=background.env)


def test_it_is_running_for_every_command(background: Scripted, theirs: Any):
    status = background.status()
    assert (status["status"], status["reason"], status["pid"]) == ("running", "runtime_active", theirs.pid)
    gate = call(background, "launch_gate").json
    assert (gate["decision"], gate["reason"]) == ("blocked_start", "already_running")
    background.plan([TRIAL])
    for flags in ((), ("--fresh-start",)):
        ran = background.launch(*flags)
        assert ran.code == 1 and "already_running" in ran.err
    assert background.ctl("start").code == 1
    assert call(background, "set_session_mode", "--session-mode", "foreground").code == 1
    assert list(background.repo.path.glob("*.prev*")) == []
    assert theirs.poll() is None


@pytest.mark.parametrize("stubborn", [False, True])
def test_stop_ends_it_with_its_group(background: Scripted, stubborn: bool, tmp_path: Path):
    deaf = "import signal; signal.signal(15, signal.SIG_IGN); " if stubborn else ""
    body = f"{deaf}import subprocess, time; c = subprocess.Popen(['sleep', '300']); print(c.pid, flush=True); c.wait()"
    with subprocess.Popen([sys.executable, "-c", body], start_new_session=True, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        sleeper = int(child.stdout.readline())
        record = {"version": 1, "status": "running", "pid": child.pid, "pgid": child.pid, "their_key": 1}
        background.repo.write("autoresearch-runtime.json", json.dumps(record))
        answer = background.ctl("stop", "--grace-seconds", 1).json
        assert (answer["status"], answer["reason"]) == ("stopped", "user_stopped")
        assert not alive(child.pid) and not alive(sleeper)
    assert background.record()["their_key"] == 1


def test_its_numbers_may_be_texts(background: Scripted, theirs: Any):
    record = {"version": 1, "status": "running", "pid": str(theirs.pid), "pgid": str(theirs.pid)}
    background.repo.write("autoresearch-runtime.json", "\ufeff" + json.dumps(record, indent=2).replace("\n", "\r\n"))
    assert background.status()["status"] == "running"
    assert background.ctl("stop", "--grace-seconds", 1).json["status"] == "stopped"
    assert theirs.wait(HANG) != 0


def test_a_number_that_was_used_again_is_no_controller(background: Scripted, theirs: Any):
    old = time.time() - 3600
    os.utime(background.repo.path / "autoresearch-runtime.json", (old, old))
    assert background.status()["status"] == "stopped"
    assert background.ctl("stop").json["status"] != "running"
    assert theirs.poll() is None


OTHER = ["/usr/bin/python3", "/home/ann/skills/scripts/autoresearch_runtime_ctl.py", "run", "--repo", "/home/ann/app"]
LONG_AGO = "2026-01-02T03:04:05Z"
# What a record says beside the number of a living process, and whether that can be its controller.
RECORDS: dict[str, tuple[dict[str, Any], bool]] = {
    "of another folder": ({"repo": "/home/ann/app"}, False),
    "of another machine": ({"command": OTHER, "created_at": LONG_AGO, "updated_at": LONG_AGO}, False),
    "of its own command": ({"command": ["-c", "import time; time.sleep(300)"], "created_at": LONG_AGO}, True),
    "with a command of its own": ({"command": OTHER, "created_at": "now"}, True),
    "without a command": ({"command": [], "created_at": LONG_AGO}, True),
    "without a time": ({"command": OTHER}, True),
    "with odd values": ({"repo": 5, "command": "run", "created_at": ["x"]}, True),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_copied_record_names_nobodys_process(background: Scripted, theirs: Any, name: str):
    told, running = RECORDS[name]
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    told = {**told, "created_at": now if told.get("created_at") == "now" else told.get("created_at")}
    record = {
        "version": 1,
        "status": "running",
        "pid": theirs.pid,
        "pgid": theirs.pid,
        "repo": str(background.repo.path),
    }
    background.repo.write("autoresearch-runtime.json", json.dumps({**record, **told}))
    assert (background.status()["status"] == "running") == running
    if not running:
        gate = call(background, "launch_gate").json
        assert gate["decision"] == "fresh" and not gate["runtime_running"]
        assert background.ctl("stop", "--grace-seconds", 1).json["status"] != "running"
        assert theirs.poll() is None, "somebody else's process was ended"


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (("--baseline-metric", 10, "--scope", "nowhere/"), "nothing in"),
        (("--baseline-metric", 10, "--verify", "./gone.sh"), "gone"),
        (("--min-free-mb", 10**9), "needed"),
    ],
)
def test_what_would_end_it_at_once_refuses_the_launch(background: Scripted, flags: tuple[object, ...], word: str):
    background.plan([TRIAL])
    ran = background.launch(*flags)
    assert ran.code == 1 and word in ran.err
    assert sorted(path.name for path in background.repo.path.glob("*autoresearch*")) == []
    created = ("create-launch", "--goal", "g", "--verify", "cat value", "--codex-bin", STAND_IN)
    assert background.ctl(*created, *flags).code == 0
    again = background.ctl("start")
    assert again.code == 1 and word in again.err


def test_a_session_that_recorded_is_followed_at_once(background: Scripted):
    background.plan(["echo 9 > value", TRIAL, {"exit": 0}], ["echo 8 > value", TRIAL, {"exit": 0}])
    assert background.launch("--iterations", 2, "--backoff-seconds", 36_000).code == 0
    assert background.ended()["reason"] == "iteration_cap_reached"  # not ten hours later


def test_a_fresh_start_names_what_it_archived(background: Scripted):
    background.plan(["echo 9 > value", TRIAL])
    first = background.launch("--iterations", 1).json
    assert (first["mode"], first["goal"]) == ("loop", "a small value")
    background.ended()
    answer = background.launch("--iterations", 1, "--fresh-start").json
    names = "research-results.prev.tsv autoresearch-state.prev.json autoresearch-launch.prev.json"
    names += " autoresearch-runtime.prev.log autoresearch-runtime.prev.json"
    assert sorted(Path(path).name for path in answer["archived_paths"]) == sorted(names.split())
    assert all(Path(path).exists() for path in answer["archived_paths"])
    assert background.log().count("launch") == 1


def test_without_a_controller_the_status_is_the_gates(background: Scripted):
    created = background.ctl("create-launch", "--goal", "g", "--original-goal", "G!", "--verify", "cat value").json
    assert (created["mode"], created["goal"], created["original_goal"]) == ("loop", "g", "G!")
    status = background.status()
    assert (status["status"], status["reason"]) == ("idle", "confirmed_launch_without_artifacts")
    assert status["launch_context"]["reasons"] and "supervisor" not in status
    call(background, "init_run", "--baseline-metric", 10)
    assert background.status()["supervisor"]["decision"] == "relaunch"


def test_a_reported_run_is_launched_gone_on_with_and_stopped_outside_git(tmp_path: Path, run_script: Any):
    place = tmp_path / "plain"
    place.mkdir()
    (place / "value").write_text("10\n")
    agent = tmp_path / "agent"
    row = f"--repo {place} --status keep --guard - --metric 7 --commit abc1234 --description x"
    agent.write_text(
        f"#!/bin/sh\ncat > /dev/null\npython3 {SCRIPTS}/autoresearch_record_iteration.py {row}\nsleep 600\n"
    )
    agent.chmod(0o755)
    wish = (
        "--goal",
        "g",
        "--scope",
        "value",
        "--metric-name",
        "value",
        "--verify",
        "cat value",
        "--direction",
        "lower",
    )

    def call(name: str, *flags: object) -> Any:
        ran = run_script(name, *flags, "--results-path", place / "research-results.tsv")
        assert ran.code == 0 and "fatal" not in ran.out + ran.err, ran.err
        return ran.json if ran.out.startswith("{") else ran.out

    plain = ("--agent", "plain", "--agent-bin", agent, "--baseline-metric", 10)
    assert call("runtime_ctl", "launch", *wish, *plain)["status"] == "running"
    assert until(lambda: "keep" in (place / "research-results.tsv").read_text())
    assert json.loads((place / "autoresearch-runtime.json").read_text())["terminal_reason"] == "none"
    for _ in range(2):
        assert call("runtime_ctl", "stop", "--grace-seconds", 1)["status"] == "stopped"
        assert "value" in call("resume_prompt")
        assert call("runtime_ctl", "start")["status"] == "running"
    assert call("runtime_ctl", "stop", "--grace-seconds", 1)["reason"] == "user_stopped"
