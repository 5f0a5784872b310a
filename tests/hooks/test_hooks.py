"""`hooks_ctl` on real files, and the hook itself where it has nothing to say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SCRIPTS, Repo
from tests.lab import running_below
from tests.unattended import until

Run = Callable[..., Any]
MINE = '{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "say done"}]}]}, "note": 1.50}\n'


def call(repo: Repo, **more: object) -> str:
    return json.dumps({"cwd": str(repo.path), "session_id": "s1", **more})


def start_run(run_script: Run, repo: Repo, *flags: str, session: str = "s1") -> None:
    about = ("--repo", repo.path, "--goal", "g", "--direction", "lower", "--scope", "README.md")
    ran = run_script("init_run", *about, "--verify", "wc -l < README.md", *flags, env={"CODEX_THREAD_ID": session})
    assert ran.code == 0, ran.err


def stop(run_script: Run, repo: Repo) -> Any:
    return run_script("hooks_ctl", "run", "--event", "stop", input=call(repo))


def test_a_project_file_is_made_hidden_and_removed(repo: Repo, run_script: Run) -> None:
    answer = run_script("hooks_ctl", "install", "--repo", repo.path).json
    assert answer["installed"] and answer["changed"] and "trust it" in answer["message"]
    assert set(json.loads(repo.read(".codex/hooks.json"))["hooks"]) == {"Stop", "SessionStart", "Interrupt"}
    assert repo.status() == ""
    assert run_script("hooks_ctl", "install", "--repo", repo.path).json["changed"] is False
    assert run_script("hooks_ctl", "uninstall", "--repo", repo.path).json["installed"] is False
    assert not (repo.path / ".codex").exists()


def test_the_hooks_of_others_stay(repo: Repo, run_script: Run) -> None:
    repo.write(".codex/hooks.json", MINE)
    repo.commit("hooks")
    answer = run_script("hooks_ctl", "install", "--repo", repo.path).json
    assert "commit it before the run" in answer["note"]
    run_script("hooks_ctl", "uninstall", "--repo", repo.path)
    assert json.loads(repo.read(".codex/hooks.json")) == json.loads(MINE)


def test_the_user_scope_follows_codex_home_and_links(repo: Repo, run_script: Run, tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles.json"
    dotfiles.write_text(MINE)
    (tmp_path / "codex").mkdir()
    (tmp_path / "codex" / "hooks.json").symlink_to(dotfiles)
    env = {"CODEX_HOME": str(tmp_path / "codex")}
    answer = run_script("hooks_ctl", "install", "--scope", "user", "--repo", repo.path, env=env).json
    assert answer["path"] == str(tmp_path / "codex" / "hooks.json")
    assert (tmp_path / "codex" / "hooks.json").is_symlink()
    assert "say done" in dotfiles.read_text() and "autoresearch_hooks_ctl.py" in dotfiles.read_text()
    assert repo.status() == ""


@pytest.mark.parametrize("text", ["{", "[]", '{"hooks": []}'])
def test_a_file_that_cannot_be_read_is_left_alone(repo: Repo, run_script: Run, text: str) -> None:
    repo.write(".codex/hooks.json", text)
    ran = run_script("hooks_ctl", "install", "--repo", repo.path)
    assert ran.code == 1 and ran.err.startswith("error: ") and ran.err.count("\n") == 1
    assert repo.read(".codex/hooks.json") == text


def test_a_helper_that_records_a_row_leaves_the_run_to_its_root(repo: Repo, run_script: Run) -> None:
    start_run(run_script, repo, "--baseline-metric", "10")
    row = ("--status", "refine", "--description", "x")
    ids = {"CODEX_THREAD_ID": "helper", "CODEX_SESSION_ID": "s1"}
    assert run_script("record_iteration", "--repo", repo.path, *row, env=ids).code == 0
    assert stop(run_script, repo).json["decision"] == "block"
    assert run_script("record_iteration", "--repo", repo.path, *row, env={"CODEX_THREAD_ID": "another"}).code == 0
    assert stop(run_script, repo).out.strip() == ""


@pytest.mark.parametrize("event", ["stop", "session_start", "interrupt"])
def test_without_a_run_a_hook_is_silent(repo: Repo, run_script: Run, event: str) -> None:
    for given in (call(repo, source="compact"), "", "no json", "[]", '{"cwd": "/nowhere", "session_id": 1}'):
        ran = run_script("hooks_ctl", "run", "--event", event, input=given, cwd=repo.path)
        assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert repo.status() == ""


def test_another_sessions_run_is_left_alone(repo: Repo, run_script: Run) -> None:
    start_run(run_script, repo, session="s2")
    ran = stop(run_script, repo)
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_a_background_run_is_the_controllers(repo: Repo, run_script: Run) -> None:
    start_run(run_script, repo, "--session-mode", "background")
    ran = stop(run_script, repo)
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_a_finished_run_may_end(repo: Repo, run_script: Run) -> None:
    start_run(run_script, repo, "--iterations", "1")
    assert stop(run_script, repo).out != ""
    run_script("run_trial", "--repo", repo.path, "--description", "nothing")
    assert stop(run_script, repo).out == ""


def test_a_broken_log_is_no_reason_to_go_on(repo: Repo, run_script: Run) -> None:
    start_run(run_script, repo)
    repo.write("research-results.tsv", "nothing of use\n")
    ran = stop(run_script, repo)
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_an_unfinished_run_is_continued_until_nothing_comes_of_it(repo: Repo, run_script: Run) -> None:
    start_run(run_script, repo)
    answers = [stop(run_script, repo) for _ in range(4)]
    assert [answer.out != "" for answer in answers] == [True, True, True, False]
    assert answers[0].json["decision"] == "block"
    assert str(SCRIPTS / "autoresearch_run_trial.py") in answers[0].json["reason"]
    repo.write("README.md", "")
    assert run_script("run_trial", "--repo", repo.path, "--description", "less").json["status"] == "keep"
    assert stop(run_script, repo).out != ""
    run_script("hooks_ctl", "run", "--event", "interrupt", input=call(repo))
    assert stop(run_script, repo).out == ""


def test_of_two_hooks_one_runs_what_waits(repo: Repo, run_script: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hooks may be installed twice, in the project and with the plugin: both fire at once."""
    start_run(run_script, repo, "--verify", "sleep 0.5; wc -l < README.md")
    left(repo, monkeypatch)
    command = [sys.executable, str(SCRIPTS / "autoresearch_hooks_ctl.py"), "run", "--event", "stop"]

    def fire(_: int) -> str:
        return subprocess.run(
            command, input=call(repo), capture_output=True, text=True, cwd=repo.path, check=True
        ).stdout

    with ThreadPoolExecutor(2) as both:
        said = sorted(both.map(fire, range(2)))
    assert said[0].strip() == "" and "left waiting was run" in said[1] and "refused" not in said[1]
    assert repo.read("research-results.tsv").count("\tkeep\t") == 1


@pytest.fixture
def held(repo: Repo, run_script: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trial whose hook's time is up while it is measured; its check ends once the returned file is there."""
    go = repo.path.parent / "go"
    go.touch()
    monkeypatch.setenv("GO", str(go))  # a name that is no part of the evaluator
    start_run(run_script, repo, "--verify", 'until test -e "$GO"; do sleep 0.05; done; wc -l < README.md')
    go.unlink()
    left(repo, monkeypatch)
    hook = {"command": "python3 autoresearch_hooks_ctl.py run --event stop", "timeout": 1}
    (Path(os.environ["CODEX_HOME"]) / "hooks.json").write_text(json.dumps({"hooks": {"Stop": [{"hooks": [hook]}]}}))
    assert "is measured still" in stop(run_script, repo).json["reason"]
    return go


def test_a_hook_whose_time_is_up_hands_over_to_the_next(repo: Repo, run_script: Run, held: Path) -> None:
    assert "is measured still" in stop(run_script, repo).json["reason"]
    held.touch()
    assert until(lambda: "\tkeep\t" in repo.read("research-results.tsv"))
    assert "left waiting was run" in stop(run_script, repo).json["reason"]
    assert "left waiting" not in stop(run_script, repo).out  # it is told once


def test_a_user_who_breaks_in_takes_back_what_was_handed_over(repo: Repo, run_script: Run, held: Path) -> None:
    run_script("hooks_ctl", "run", "--event", "interrupt", input=call(repo))
    assert not running_below(repo.path) and repo.read("README.md") == ""
    assert not (repo.path / "autoresearch-evidence" / "queue.json").exists()
    held.touch()
    assert stop(run_script, repo).out == "" and repo.read("research-results.tsv").count("\tkeep\t") == 0


def left(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial that the session `s1` left waiting."""
    repo.write("README.md", "")
    note = {"description": "empty", "labels": [], "hypothesis": "", "searched": 0, "knowing": True, "lessons": []}
    note.update({"own": [], "content": "", "session": "s1"})
    repo.write("autoresearch-evidence/queue.json", json.dumps(note))
    session_record(repo, monkeypatch)


def session_record(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Codex's record of a session with full access."""
    home = repo.path.parent / "codex-home"
    folder = home / "sessions" / "2026" / "01" / "01"
    folder.mkdir(parents=True)
    turn = {"cwd": str(repo.path), "sandbox_policy": {"type": "danger-full-access"}}
    line = json.dumps({"type": "turn_context", "payload": turn})
    (folder / "rollout-2026-01-01T00-00-00-s1.jsonl").write_text(line + "\n")
    monkeypatch.setenv("CODEX_HOME", str(home))
