"""Launching: the gate, the manifest, what is refused, and sixteen at once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.background.conftest import Scripted
from tests.conftest import SCRIPTS, Ran
from tests.unattended import TRIAL, until

RunScript = Callable[..., Ran]


@pytest.fixture
def gate(background: Scripted, run_script: RunScript) -> Callable[[], tuple[str, str, str]]:
    """Return a function that asks the launch gate for decision, reason and strategy."""

    def ask() -> tuple[str, str, str]:
        found = run_script("launch_gate", "--repo", background.repo.path).json
        return found["decision"], found["reason"], found["resume_strategy"]

    return ask


def init(background: Scripted, run_script: RunScript) -> None:
    """Set a foreground run up."""
    flags = ("--goal", "a small value", "--scope", "value", "--metric-name", "value", "--verify", "cat value")
    assert run_script("init_run", "--repo", background.repo.path, *flags).code == 0


def test_the_gate_follows_a_run(background: Scripted, gate: Callable[[], tuple[str, str, str]]):
    assert gate() == ("fresh", "fresh_start", "cold_start")
    background.plan([{"silent": 300}])
    background.launch()
    assert gate() == ("blocked_start", "already_running", "runtime_active")
    background.ctl("stop", "--grace-seconds", 1)
    assert gate() == ("resumable", "full_resume", "full_resume")
    (background.repo.path / "autoresearch-state.json").unlink()
    assert gate() == ("resumable", "results_without_state", "tsv_fallback")
    background.repo.write("autoresearch-state.json", "{")
    assert gate() == ("resumable", "tsv_fallback", "tsv_fallback")
    (background.repo.path / "autoresearch-launch.json").unlink()
    assert gate() == ("needs_human", "launch_manifest_required", "mini_resume")
    background.repo.write("autoresearch-launch.json", "{}")
    assert gate() == ("needs_human", "invalid_launch_manifest", "none")


def test_a_foreground_run_is_taken_to_the_background(
    background: Scripted, gate: Callable[[], tuple[str, str, str]], run_script: RunScript
):
    init(background, run_script)
    assert gate() == ("needs_human", "fresh_start_required", "fresh_start")
    refused = background.ctl("start")
    assert refused.code == 1 and "autoresearch-launch.json is missing" in refused.err
    told = background.ctl("status").json
    assert (told["status"], "a foreground run is open" in told["detail"]) == ("idle", True)
    assert "resume_prompt.py --repo . goes on with it" in told["do"]
    ended = background.ctl("stop").json
    assert (ended["status"], ended["do"]) == ("idle", "the closing summary")
    background.plan(["echo 1 > value", TRIAL])
    agent = (*background.agent, "--iterations", 1)
    ran = background.ctl("launch", "--goal", "a small value", *agent)
    assert ran.code == 0, ran.err
    assert ran.json["left"] == {"iterations": 1}  # what a launch says of budgets and ends holds for a run that goes on
    assert background.ended()["reason"] == "iteration_cap_reached"
    assert background.statuses() == ["baseline", "keep"]
    assert '"was": {"iterations": null}' in background.repo.read("research-results.tsv")


def test_another_wish_is_a_fresh_start(background: Scripted, run_script: RunScript):
    init(background, run_script)
    background.plan([{"silent": 300}])
    refused = background.launch("--goal", "something else")
    assert refused.code == 1 and "another goal" in refused.err
    refused = background.launch("--isolation", "worktree")
    assert refused.code == 1 and "another isolation" in refused.err
    once = ("--setup", "make", "--link", "node_modules", "--min-delta", 1, "--run-tag", "other", "--iterations", 9)
    refused = background.launch(*once)
    assert refused.code == 1 and "another min-delta, run-tag, setup, link; " in refused.err
    assert '"kind": "agreed"' not in background.repo.read("research-results.tsv")
    assert background.launch("--goal", "something else", "--fresh-start").code == 0
    assert (background.repo.path / "research-results.prev.tsv").exists()
    assert "something else" in background.repo.read("research-results.tsv")


@pytest.mark.parametrize(("workers", "said"), [(3, "add --parallel-mode parallel"), (0, "expected 1 or more")])
def test_workers_that_would_have_no_effect_are_refused(background: Scripted, workers: int, said: str):
    refused = background.launch("--workers", workers)
    assert refused.code == 1 and said in refused.err
    assert not (background.repo.path / "research-results.tsv").exists()


def test_create_launch_and_start(background: Scripted, gate: Callable[[], tuple[str, str, str]]):
    wish = ("--goal", "g", "--scope", "value", "--verify", "cat value", "--stop-condition", "<= 1")
    more = ("--approval", "push=no", "--default", "guard=none", "--resume-seed", "a=b", "--note", "n")
    ran = background.ctl("create-launch", *wish, *more, *background.agent, "--run-tag", "x")
    assert ran.code == 0
    manifest = json.loads(background.repo.read("autoresearch-launch.json"))
    keys = "version mode original_goal prompt_text config approvals defaults notes resume_seed created_at updated_at"
    assert set(keys.split()) <= manifest.keys()
    assert manifest["approvals"] == {"push": "no"} and manifest["config"]["execution_policy"] == "danger_full_access"
    assert gate() == ("fresh", "confirmed_launch_without_artifacts", "launch_manifest_ready")
    assert "exists" in background.ctl("create-launch", *wish).err
    background.plan(["echo 1 > value", TRIAL])
    assert background.ctl("start").json["baseline_metric"] == 10
    assert background.ended()["reason"] == "goal_reached"


def test_a_check_without_a_number_is_refused_before_anything_starts(background: Scripted):
    refused = background.launch(verify="echo none")
    assert refused.code == 1 and "gives no number" in refused.err
    assert background.status()["status"] == "idle"
    assert not (background.repo.path / "autoresearch-launch.json").exists()


def test_a_missing_cli_is_refused(background: Scripted):
    refused = background.launch("--codex-bin", "no-such-codex")
    assert refused.code == 1 and "no-such-codex is not on PATH" in refused.err


def test_a_launch_from_inside_the_sandbox_names_the_line_for_outside(background: Scripted):
    background.env["CODEX_SANDBOX_NETWORK_DISABLED"] = "1"
    refused = background.launch("--note", "it's here")
    assert refused.code == 1
    assert f"{SCRIPTS}/autoresearch_runtime_ctl.py launch --repo {background.repo.path}" in refused.err
    assert """--note 'it'"'"'s here'""" in refused.err
    assert not (background.repo.path / "autoresearch-evidence").exists()


@pytest.mark.parametrize("command", ["launch", "create-launch", "start"])
def test_one_at_a_time(background: Scripted, command: str):
    background.plan([{"silent": 300}])
    background.launch()
    refused = background.launch() if command == "launch" else background.ctl(command)
    assert refused.code == 1 and "already_running" in refused.err
    assert until(lambda: len(background.prompts()) == 1)


def test_the_session_mode_is_held_while_a_controller_runs(background: Scripted, run_script: RunScript):
    background.plan([{"silent": 300}])
    background.launch()
    mode = ("--repo", background.repo.path, "--session-mode", "foreground")
    refused = run_script("set_session_mode", *mode)
    assert refused.code == 1 and "runtime_ctl stop" in refused.err
    background.ctl("stop", "--grace-seconds", 1)
    assert run_script("set_session_mode", *mode).json["session_mode"] == "foreground"
    state = json.loads(background.repo.read("autoresearch-state.json"))
    assert state["config"]["session_mode"] == "foreground"


@pytest.mark.parametrize("fresh", [(), ("--fresh-start",)])
def test_of_sixteen_launches_one_wins(background: Scripted, fresh: tuple[str, ...]):
    background.plan([{"silent": 300}])
    flags = ["--scope", "value", "--verify", "cat value", "--goal", "g", *background.agent, *fresh]
    command = [sys.executable, f"{SCRIPTS}/autoresearch_runtime_ctl.py", "launch", "--repo", str(background.repo.path)]
    pipe, env = subprocess.PIPE, {**os.environ, **background.env}
    all_ = [subprocess.Popen([*command, *flags], env=env, stdout=pipe, stderr=pipe, text=True) for _ in range(16)]
    ends = [(child.communicate(timeout=100), child.returncode) for child in all_]
    assert sorted(code for _, code in ends) == [0, *[1] * 15]
    assert all("already_running" in err for (_, err), code in ends if code)
    assert until(lambda: len(background.prompts()) == 1)
    assert background.status()["status"] == "running"


def test_status_for_people_leaves_plumbing_out(background: Scripted):
    background.plan([{"silent": 300}])
    background.launch("--iterations", 20)
    until(lambda: background.ctl("status").json.get("session"))
    text = background.ctl("status", "--format", "text").out
    assert re.search(r"^session +number 1, started at 2", text, re.MULTILINE), text
    assert re.search(r"^left +iterations 20$", text, re.MULTILINE)
    assert not re.search(r"[{}]|mark|identity", text)


def test_the_prompt_can_be_read(background: Scripted, run_script: RunScript):
    refused = run_script("resume_prompt", "--repo", background.repo.path)
    assert refused.code == 1 and "is missing" in refused.err
    init(background, run_script)
    told = run_script("resume_prompt", "--repo", background.repo.path).out
    assert "- goal: a small value" in told and "| 0 baseline 10" in told
    assert len(told) < 4000


def test_the_budget_of_one_sessions_prompt(background: Scripted, run_script: RunScript):
    init(background, run_script)
    pages = run_script("resume_prompt", "--repo", background.repo.path).out.split("cat ")[1].split("\n")[0].split()
    assert sum(Path(page).stat().st_size for page in pages) < 8000


def test_a_refused_launch_leaves_not_even_its_lock(background: Scripted, run_script: RunScript):
    background.repo.git("branch", "autoresearch/taken")
    flags = ("--goal", "g", "--verify", "false", "--isolation", "branch", "--run-tag", "taken")
    ran = run_script("runtime_ctl", "launch", "--repo", background.repo.path, *flags)
    assert ran.code == 1, ran.out
    assert sorted(path.name for path in background.repo.path.glob("autoresearch*")) == []
    assert background.repo.status() == ""
