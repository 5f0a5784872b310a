"""What other programs and earlier runs rely on, in every script: where a run lies, what an answer names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.conftest import Ran, Repo
from tests.lab import Lab, refused

Call = Callable[..., Ran]
NAMES = {"results": "research-results.tsv", "state": "autoresearch-state.json"}
BOTH = {**NAMES, "launch": "autoresearch-launch.json", "runtime": "autoresearch-runtime.json"}
LOG = """# metric_direction: lower
# mode: loop
# run_tag: theirs
iteration\tcommit\tmetric\tdelta\tguard\tstatus\tdescription
0\ta1b2c3d\t10\t0\t-\tbaseline\tinitial
1\tb2c3d4e\t8\t-2\tpass\tkeep\tfirst
"""
ROW = ("--status", "keep", "--metric", 7, "--commit", "abc1234", "--description", "more")


def ok(ran: Ran) -> Any:
    """The answer of a command that must do what it was asked."""
    assert ran.code == 0, ran.err
    return ran.json


def paths(root: Path, names: dict[str, str] = NAMES) -> dict[str, str]:
    return {f"{name}_path": str(root / file) for name, file in names.items()}


@pytest.mark.parametrize("git", [True, False])
def test_an_absolute_results_path_names_the_run(tmp_path: Path, make_repo: Any, run_script: Call, git: bool):
    there = make_repo("there").path if git else tmp_path / "there"
    there.mkdir(exist_ok=True)
    here = make_repo("here")
    flag = ("--results-path", there / "research-results.tsv")
    answer = ok(run_script("init_run", *flag, "--baseline-metric", 10, "--session-mode", "background", cwd=here.path))
    assert answer.items() >= paths(there).items()
    assert ok(run_script("resume_check", *flag, cwd=here.path))["decision"] == "full_resume"
    assert ok(run_script("record_iteration", *flag, *ROW, cwd=here.path)).items() >= paths(there).items()
    config = json.loads((there / "autoresearch-state.json").read_text())["config"]
    assert (config["repos"][0]["path"], config["execution_policy"]) == (str(there), "danger_full_access")
    assert "### L-1" in (there / "autoresearch-lessons.md").read_text()
    assert sorted(path.name for path in here.path.iterdir()) == [".git", "README.md"]
    assert not git or Repo(there).status() == ""


def test_the_repository_around_an_absolute_results_path_is_the_runs(make_repo: Any, run_script: Call, tmp_path: Path):
    repo = make_repo("there")
    (repo.path / "logs").mkdir()
    flag = ("--results-path", repo.path / "logs" / "mine.tsv")
    answer = ok(run_script("init_run", *flag, "--baseline-metric", 10))
    assert answer["state_path"] == str(repo.path / "autoresearch-state.json")
    assert repo.status() == ""


def test_a_log_of_another_name_is_hidden_with_its_archives(repo: Repo, run_script: Call):
    (repo.path / "sub").mkdir()
    flag = ("--results-path", repo.path / "sub" / "log.tsv")
    for _ in range(3):
        ok(run_script("init_run", *flag, "--baseline-metric", 10, "--force", cwd=repo.path))
    assert sorted(path.name for path in (repo.path / "sub").iterdir()) == ["log.prev.tsv", "log.prev2.tsv", "log.tsv"]
    assert repo.status() == ""
    repo.write("sub/log.py", "")
    assert repo.status() == "?? sub/log.py"


@pytest.mark.parametrize("command", [("lessons", "list"), ("ideas", "list")])
def test_an_absolute_results_path_names_the_notes_too(make_repo: Any, run_script: Call, command: tuple[str, ...]):
    there, here = make_repo("there"), make_repo("here")
    flag = ("--results-path", there.path / "research-results.tsv")
    ok(run_script("ideas", "add", "--text", "an idea", *flag, cwd=here.path))
    lesson = ("--title", "t", "--strategy", "s", "--outcome", "keep", "--insight", "i")
    ok(run_script("lessons", "append", *lesson, *flag, cwd=here.path))
    assert ok(run_script(*command, *flag, cwd=here.path))[command[0]]
    assert not list(here.path.glob("autoresearch*")) and there.status() == ""


def test_every_answer_names_the_files_it_used(lab: Lab):
    lab.report("--verify", "true")
    for name, names, flags in (
        ("resume_check", NAMES, ()),
        ("supervisor_status", NAMES, ()),
        ("health_check", NAMES, ()),
        ("set_session_mode", NAMES, ("--session-mode", "foreground")),
        ("launch_gate", BOTH, ()),
        ("record_iteration", NAMES, ("--status", "pivot")),
    ):
        assert ok(lab.call(name, *flags)).items() >= paths(lab.path, names).items(), name
    status = ok(lab.run_script("runtime_ctl", "status", "--repo", lab.path))
    assert status.items() >= paths(lab.path, BOTH).items()


def test_an_exec_log_names_its_scratch_file_also_where_its_rows_are_broken(repo: Repo, run_script: Call):
    flags = ("--mode", "exec", "--iterations", 3, "--baseline-metric", 10)
    state = ok(run_script("init_run", *flags, cwd=repo.path))["state_path"]
    assert "codex-autoresearch-exec" in state and Path(state).exists()
    assert ok(run_script("resume_check", cwd=repo.path))["state_path"] == state
    repo.write("research-results.tsv", repo.read("research-results.tsv") + "no row\n")
    checked = ok(run_script("resume_check", cwd=repo.path))
    assert (checked["state_path"], checked["has_state"]) == (state, True)
    found = ok(run_script("supervisor_status", cwd=repo.path))
    assert (found["mode"], found["reason"]) == ("exec", "state_inconsistent")


FIRST_WRITERS: tuple[tuple[Any, ...], ...] = (
    ("record_iteration", *ROW),
    ("supervisor_status", "--write-state"),
    ("set_session_mode", "--session-mode", "background"),
    ("resume_check", "--write-repaired-state"),
    ("lessons", "append", "--title", "t", "--strategy", "s", "--outcome", "keep", "--insight", "i"),
    ("ideas", "add", "--text", "an idea"),
    ("report", "--format", "json"),
    ("runtime_ctl", "create-launch", "--goal", "g", "--verify", "true"),
)


@pytest.mark.parametrize("command", FIRST_WRITERS, ids=lambda command: str(command[0]))
def test_whoever_writes_first_hides_the_artifacts(repo: Repo, run_script: Call, command: tuple[Any, ...]):
    repo.write("research-results.tsv", LOG)
    ok(run_script(*command, cwd=repo.path))
    assert repo.status() == ""


def test_artifacts_of_an_older_run_in_a_subfolder_are_no_change(lab: Lab):
    lab.repo.write("src/research-results.tsv", "old\n")
    lab.repo.write("src/autoresearch-state.json", "{}\n")
    lab.init()
    lab.trial(9)
    assert lab.repo.git("ls-files", "src") == "src/value"
    lab.repo.git("add", "src/research-results.tsv")
    lab.repo.commit("tracked")
    lab.repo.write("src/research-results.tsv", "edited\n")
    assert ok(lab.call("commit_gate"))["repo_gates"][0]["in_scope"] == ["src/research-results.tsv"]


def test_a_divergence_names_each_field_with_both_values(lab: Lab):
    lab.report()
    state = lab.state()
    state["state"].update(current_metric=3, keeps=4)
    lab.repo.write("autoresearch-state.json", json.dumps(state, default=str))
    wanted = ["current_metric: snapshot 3, log 10", "keeps: snapshot 4, log 0"]
    for name in ("resume_check", "launch_gate"):
        assert set(wanted) <= set(ok(lab.call(name))["reasons"]), name
    for name, where in (("supervisor_status", "reasons"), ("health_check", "blockers")):
        text = " ".join(ok(lab.call(name))[where])
        assert all(one in text for one in wanted), text
    refused(lab.record("pivot", "--description", "x"), *wanted)


def test_a_sentence_about_a_companion_names_its_path(lab: Lab, make_repo: Any):
    api = make_repo("api")
    lab.report("--companion-repo-scope", f"{api.path}=src/")
    api.write("other.txt", "x\n")
    for phase in ("precommit", "rollback"):
        gate = ok(lab.call("commit_gate", "--phase", phase))
        assert str(api.path) in (gate["blockers"] + gate["warnings"])[0]
    assert str(api.path) in ok(lab.call("health_check"))["warnings"][-1]
    roles = [(item["repo"], item["role"], item["scope_patterns"]) for item in gate["repo_gates"]]
    assert roles == [(str(lab.path), "primary", []), (str(api.path), "companion", ["src/"])]


@pytest.mark.parametrize("how", [("--baseline-metric", 10), ("--verify", "cat src/value")])
@pytest.mark.parametrize("path", ["src/value", "notes.txt", "new.txt"])
def test_exec_refuses_a_dirty_tree(lab: Lab, how: tuple[object, ...], path: str):
    lab.repo.write(path, "7\n")
    ran = lab.call("init_run", "--mode", "exec", "--iterations", 2, "--scope", "src/", *how)
    assert (ran.code, ran.out) == (2, "")
    error = json.loads(ran.err)
    assert error["exit_code"] == 2 and path in error["error"]
    assert sorted(p.name for p in lab.path.glob("*research*")) == []


def test_exec_without_iterations_is_the_same_error(lab: Lab):
    ran = lab.call("init_run", "--mode", "exec", "--baseline-metric", 10)
    assert (ran.code, json.loads(ran.err)["exit_code"]) == (2, 2)


@pytest.mark.parametrize(
    ("flags", "policy"),
    [
        (("--session-mode", "background"), "danger_full_access"),
        (("--session-mode", "background", "--execution-policy", "workspace_write"), "workspace_write"),
        (("--mode", "exec", "--iterations", 2), "danger_full_access"),
        ((), None),
        (("--execution-policy", "workspace_write"), None),
    ],
)
def test_the_policy_is_written_where_nested_sessions_run(lab: Lab, flags: tuple[object, ...], policy: str | None):
    answer = lab.report(*flags)
    config = json.loads(Path(answer["state_path"]).read_text())["config"]
    assert config.get("execution_policy") == policy


def test_set_session_mode_sets_and_takes_the_policy(lab: Lab):
    lab.report()
    ok(lab.call("set_session_mode", "--session-mode", "background"))
    assert lab.state()["config"]["execution_policy"] == "danger_full_access"
    ok(lab.call("set_session_mode", "--session-mode", "foreground"))
    assert "execution_policy" not in lab.state()["config"]
    ok(lab.call("set_session_mode", "--session-mode", "background", "--execution-policy", "workspace_write"))
    assert lab.state()["config"]["execution_policy"] == "workspace_write"


def test_maps_of_commits_have_every_repository(lab: Lab, make_repo: Any):
    api = make_repo("api")
    head = api.git("rev-parse", "HEAD")
    lab.report("--companion-repo-scope", f"{api.path}=.", "--baseline-commit", "aaaaaaa")
    me, companion = str(lab.path), str(api.path)

    def maps() -> tuple[Any, Any]:
        state = lab.state()["state"]
        return state["last_repo_commits"], state["last_trial_repo_commits"]

    assert maps() == ({me: "aaaaaaa", companion: head},) * 2
    trial = ("--guard", "pass", "--metric")
    answer = lab.recorded("discard", *trial, 12, "--commit", "bbbbbbb", "--repo-commit", f"{companion}=1234567")
    assert answer["trial_repo_commits"] == {me: "bbbbbbb", companion: "1234567"}
    assert maps() == ({me: "aaaaaaa", companion: head}, {me: "bbbbbbb", companion: "1234567"})
    lab.recorded("keep", *trial, 9, "--commit", "ccccccc")
    assert maps() == ({me: "ccccccc", companion: head},) * 2
    lab.sound()


def test_a_keep_has_its_lesson_in_each_run_of_one_tag(lab: Lab):
    for _ in range(2):
        lab.report("--run-tag", "same", "--force")
        lab.recorded("keep", "--metric", 7, "--commit", "abc1234", "--description", "narrow types")
    assert lab.repo.read("autoresearch-lessons.md").count("**Iteration:** same#1") == 2


def batch(lab: Lab, *workers: dict[str, Any]) -> Ran:
    path = lab.path.parent / "batch.json"
    path.write_text(json.dumps(workers))
    return lab.call("select_parallel_batch", "--batch-file", path)


def worker(name: str, metric: object = None, **more: Any) -> dict[str, Any]:
    return {"worker_id": name, "description": name, "commit": f"{name}{name}12345", "metric": metric, **more}


def test_without_a_winner_the_row_is_the_best_trials(lab: Lab):
    lab.report()
    one, two = worker("a", 12, diff_size=9), worker("b", 12, guard="pass", diff_size=20)
    answer = ok(batch(lab, one, two, worker("c", status="crash")))
    assert (answer["selected_worker"], answer["status"]) == (None, "discard")
    row = lab.rows()[-1]
    assert (row.commit, str(row.metric), row.delta, row.guard) == ("bb12345", "12", "+2", "pass")
    state = lab.state()["state"]
    assert (state["last_trial_commit"], state["last_trial_metric"]) == ("bb12345", 12)
    assert state["last_trial_repo_commits"] == {str(lab.path): "bb12345"}
    assert [(r.status, r.commit) for r in lab.rows()[1:3]] == [("discard", "-")] * 2
    lab.sound()


def test_only_the_selected_row_says_keep(lab: Lab):
    lab.report()
    ok(batch(lab, worker("a", 8), worker("b", 7), worker("c", 12)))
    assert [(r.status, r.commit) for r in lab.rows()[1:]] == [
        ("discard", "-"),
        ("keep", "bb12345"),
        ("discard", "-"),
        ("keep", "bb12345"),
    ]


def test_without_a_number_the_row_tells_none(lab: Lab):
    lab.report()
    ok(batch(lab, worker("a", status="crash"), worker("b", status="timeout")))
    row = lab.rows()[-1]
    assert (row.commit, str(row.metric), row.delta, row.guard) == ("-", "10", "0", "-")


def test_a_winner_without_a_commit_and_a_dirty_tree_refuse_the_batch(lab: Lab):
    lab.report("--scope", "src/")
    refused(batch(lab, worker("a", 8), worker("b", 7, commit="-")), "worker b")
    lab.repo.write("notes.txt", "mine\n")
    refused(batch(lab, worker("a", 8)), "notes.txt")
    assert len(lab.rows()) == 1


@pytest.mark.parametrize("state", [{}, {"iteration": 1}, None])
def test_a_snapshot_without_its_state_is_unusable_not_edited(repo: Repo, run_script: Call, state: Any):
    repo.write("research-results.tsv", LOG)
    repo.write("autoresearch-state.json", json.dumps({"version": 1, "state": state, "config": {"goal": "g"}}))
    checked = ok(run_script("resume_check", cwd=repo.path))
    assert (checked["decision"], checked["detail"]) == ("tsv_fallback", "invalid_state_json")
    ok(run_script("record_iteration", *ROW, cwd=repo.path))
    assert ok(run_script("resume_check", cwd=repo.path))["detail"] == "json_matches_tsv"
    assert json.loads(repo.read("autoresearch-state.json"))["config"]["goal"] == "g"


def test_the_summary_tells_labels_and_counts_rows(lab: Lab):
    lab.report()
    ok(batch(lab, worker("a", 8, labels=["x"]), worker("b", 9)))
    found = ok(lab.call("resume_check"))["tsv_summary"]
    assert (found["current_labels"], found["last_trial_labels"]) == (["x"], ["x"])
    assert (found["main_rows"], found["worker_rows"]) == (2, 2)


@pytest.mark.parametrize("header", [LOG, LOG.replace("# mode: loop\n# run_tag: theirs\n", "")])
def test_a_log_alone_needs_its_launch_confirmed(repo: Repo, run_script: Call, header: str):
    repo.write("research-results.tsv", header)
    gate = ok(run_script("launch_gate", cwd=repo.path))
    told = (gate["decision"], gate["reason"], gate["resume_strategy"])
    assert told == ("needs_human", "launch_manifest_required", "mini_resume") and gate["reasons"]


def test_what_does_not_fit_together_has_no_strategy(lab: Lab):
    lab.report()
    (lab.path / "research-results.tsv").unlink()
    gate = ok(lab.call("launch_gate"))
    assert (gate["reason"], gate["resume_strategy"]) == ("state_without_results", "none")


@pytest.mark.parametrize(
    ("flags", "rows", "decision", "kind", "reason"),
    [
        ((), 0, "relaunch", "turn_complete", "none"),
        (("--iterations", 1), 1, "stop", "terminal", "iteration_cap_reached"),
        (("--stop-condition", "<= 7"), 1, "stop", "terminal", "goal_reached"),
        ((), -1, "needs_human", "terminal", "blocked"),
        ((), -3, "needs_human", "soft_blocked", "soft_blocked"),
    ],
)
def test_the_supervisor_says_how_it_ended(lab: Lab, flags: Any, rows: int, decision: str, kind: str, reason: str):
    lab.report(*flags)
    for _ in range(rows):
        lab.recorded("keep", "--metric", 7, "--commit", "abc1234")
    for _ in range(-rows):
        lab.recorded("blocked" if rows == -1 else "pivot", "--description", "x")
    answer = ok(lab.call("supervisor_status", "--write-state"))
    assert (answer["decision"], answer["reasons"] != []) == (decision, True)
    assert answer["supervisor_state_written"] is True
    written = lab.state()["supervisor"]
    assert (written["last_exit_kind"], written["terminal_reason"]) == (kind, reason)
    assert ok(lab.call("supervisor_status"))["supervisor_state_written"] is False


def test_stagnation_is_told_as_the_exit(lab: Lab):
    lab.report()
    for _ in range(4):
        ok(lab.call("supervisor_status", "--write-state", "--after-run"))
    assert lab.state()["supervisor"]["last_exit_kind"] == "stagnated"


def test_a_reached_number_without_its_labels_goes_on_and_says_so(lab: Lab):
    lab.report("--stop-condition", "<= 7", "--required-stop-label", "prod")
    lab.recorded("keep", "--metric", 7, "--commit", "abc1234")
    answer = ok(lab.call("supervisor_status"))
    assert answer["decision"] == "relaunch" and "prod" in answer["reasons"][0]


def test_without_scope_and_run_nothing_is_in_scope(repo: Repo, run_script: Call):
    repo.write("README.md", "edited\n")
    gate = ok(run_script("commit_gate", "--phase", "precommit", cwd=repo.path))
    assert (gate["decision"], gate["unexpected_worktree"]) == ("block", ["README.md"])
    assert gate.items() >= {"phase": "precommit", "rollback_policy": "revert", "destructive_approved": False}.items()
    inside = ok(run_script("commit_gate", "--scope", "*.md", cwd=repo.path))
    assert (inside["decision"], inside["scope_patterns"]) == ("allow", ["*.md"])


@pytest.mark.parametrize("phase", ["prelaunch", "precommit", "prebatch", "rollback"])
def test_a_destructive_rollback_needs_approval_in_every_phase(repo: Repo, run_script: Call, phase: str):
    flags = ("--phase", phase, "--rollback-policy", "destructive")
    assert ok(run_script("commit_gate", *flags, cwd=repo.path))["decision"] == "block"
    assert ok(run_script("commit_gate", *flags, "--destructive-approved", cwd=repo.path))["decision"] == "allow"


def test_health_counts_what_is_there(lab: Lab):
    before = ok(lab.call("health_check"))
    assert (before["has_results"], before["has_state"], before["main_rows"]) == (False, False, 0)
    lab.report()
    lab.recorded("pivot", "--description", "x")
    after = ok(lab.call("health_check"))
    assert (after["has_results"], after["has_state"], after["main_rows"]) == (True, True, 2)


def test_text_that_is_no_lesson_is_kept_beside(repo: Repo, run_script: Call):
    old = "My notes.\n\n### L-1: t\n- **Strategy:** s\n- **Files:** a.py\n"
    repo.write("autoresearch-lessons.md", old)
    flags = ("append", "--title", "t", "--strategy", "s", "--outcome", "keep", "--insight", "i")
    for _ in range(2):
        ok(run_script("lessons", *flags, cwd=repo.path))
    assert repo.read("autoresearch-lessons.md.bak") == old
    assert sorted(p.name for p in repo.path.glob("*.bak")) == ["autoresearch-lessons.md.bak"]
    text = repo.read("autoresearch-lessons.md")
    assert text.startswith("### L-1: t\n") and "- **Context:** -\n" in text
    assert ok(run_script("lessons", "list", cwd=repo.path))["lessons"][-1]["context"] == ""


def test_lessons_of_a_windows_editor_stay_entries(repo: Repo, run_script: Call):
    repo.write("autoresearch-lessons.md", "\ufeff### L-1: t\r\n- **Strategy:** s\r\n- **Outcome:** keep\r\n")
    ok(
        run_script(
            "lessons", "append", "--title", "u", "--strategy", "z", "--outcome", "keep", "--insight", "i", cwd=repo.path
        )
    )
    assert [entry["title"] for entry in ok(run_script("lessons", "list", cwd=repo.path))["lessons"]] == ["t", "u"]
    assert not list(repo.path.glob("*.bak"))


def test_outside_git_a_reported_run_works(tmp_path: Path, run_script: Call):
    flags = ("--baseline-metric", 10, "--goal", "g", "--scope", "src/", "--metric-name", "m", "--verify", "true")
    ok(run_script("init_run", *flags))
    assert run_script("resume_prompt").out
    for command in (("resume_check",), ("launch_gate",), ("supervisor_status",), ("record_iteration", *ROW)):
        assert "fatal" not in json.dumps(ok(run_script(*command)))
    assert ok(run_script("commit_gate"))["decision"] == "skipped"
    assert ok(run_script("runtime_ctl", "stop"))["status"] == "idle"
