"""`decision`, `lessons`, `exec_state`, `environment`, `select_parallel_batch` and `init_run` as commands."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.conftest import Ran
from tests.lab import Lab, refused, tree_of

# decision


@pytest.mark.parametrize(
    ("flags", "status", "retained", "improved"),
    [
        (("--direction", "lower", "--trial-metric", "9"), "keep", 9, True),
        (("--direction", "lower", "--trial-metric", "11"), "discard", 10, False),
        (("--direction", "lower", "--trial-metric", "10.0"), "discard", 10, False),
        (("--direction", "higher", "--trial-metric", "11"), "keep", 11, True),
        (("--direction", "higher", "--trial-metric", "9"), "discard", 10, False),
        (("--direction", "lower", "--trial-metric", "9", "--guard", "pass"), "keep", 9, True),
        (("--direction", "lower", "--trial-metric", "9", "--guard", "fail"), "discard", 10, True),
        (("--direction", "lower", "--trial-metric", "9", "--crashed"), "crash", 10, False),
        (("--direction", "lower", "--crashed"), "crash", 10, False),
    ],
)
def test_decision(run_script: Callable[..., Ran], flags: tuple[str, ...], status: str, retained: int, improved: bool):
    answer = run_script("decision", "--current-metric", "10", *flags).json
    assert (answer["status"], answer["retained_metric"], answer["improved"]) == (status, retained, improved)
    assert answer["guard"] == (flags[flags.index("--guard") + 1] if "--guard" in flags else "-")


def test_decision_refuses(run_script: Callable[..., Ran]):
    refused(run_script("decision", "--direction", "lower", "--current-metric", "10"), "neither --trial-metric nor")
    refused(run_script("decision", "--direction", "lower", "--current-metric", "NaN", "--crashed"), "current metric")
    refused(run_script("decision", "--direction", "down", "--current-metric", "10"), code=2)
    refused(run_script("decision"), code=2)


# lessons


def lesson(lab: Lab, number: int = 1, **more: str) -> Any:
    fields = {"title": f"Title {number}", "strategy": f"way {number}", "insight": "why", "outcome": "keep", **more}
    flags = [part for key, value in fields.items() for part in (f"--{key}", value)]
    ran = lab.run_script("lessons", "append", "--repo", lab.path, *flags)
    assert ran.code == 0, ran.err
    return ran.json


@pytest.mark.parametrize("outcome", ["keep", "discard", "crash", "pivot", "summary"])
def test_a_lesson_is_written_and_read(lab: Lab, outcome: str):
    more = {"context": "c", "iteration": "tag#3", "timestamp": "2026-03-25T01:02:03Z", "outcome": outcome}
    answer = lesson(lab, 1, **more)
    assert (answer["id"], answer["count"]) == ("L-1", 1)
    assert lesson(lab, 2)["id"] == "L-2"
    entries = lab.run_script("lessons", "list", "--repo", lab.path).json["lessons"]
    assert entries[0] == {"id": "L-1", "title": "Title 1", "strategy": "way 1", "insight": "why", **more}
    text = lab.repo.read("autoresearch-lessons.md")
    assert "### L-1: Title 1\n- **Strategy:** way 1\n- **Outcome:** " in text


def test_old_lessons_are_folded(lab: Lab):
    entries = "".join(
        f"### L-{n}: t{n}\n- **Strategy:** cache {'more' if n % 2 else 'less'} things\n- **Outcome:** keep\n\n"
        for n in range(1, 81)
    )
    lab.repo.write("autoresearch-lessons.md", entries)
    answer = lesson(lab, 81)
    assert (answer["id"], answer["count"]) == ("L-81", 51)
    titles = [e["title"] for e in lab.run_script("lessons", "list", "--repo", lab.path).json["lessons"]]
    assert "(×" in titles[0] and titles[-1] == "Title 81"


def test_lessons_refuse(lab: Lab):
    before = tree_of(lab.path)
    say = ("lessons", "append", "--repo", lab.path, "--title", "t", "--strategy", "s", "--insight")
    refused(lab.run_script(*say, " ", "--outcome", "keep"), "--insight is empty")
    refused(lab.run_script(*say, "i", "--outcome", "kept"), code=2)
    refused(lab.run_script("lessons"), code=2)
    refused(lab.run_script("lessons", "list", "--repo", lab.path / "nowhere"), "is not a folder")
    assert lab.run_script("lessons", "list", "--repo", lab.path).json["lessons"] == []
    assert tree_of(lab.path) == before


# exec_state


def test_exec_state_names_and_removes(lab: Lab, sealed: Path):
    digest = hashlib.sha256(str(lab.path.resolve()).encode()).hexdigest()[:12]
    path = sealed / "tmp" / "codex-autoresearch-exec" / digest / "autoresearch-state.exec.json"
    assert lab.run_script("exec_state", "--repo-root", lab.path / "src").out == f"{path}\n"
    answer = lab.run_script("exec_state", "--repo-root", lab.path, "--json").json
    assert answer == {"state_path": str(path), "exists": False, "removed": False}
    lab.report("--mode", "exec", "--iterations", 2)
    assert path.exists()
    answer = lab.run_script("exec_state", "--repo-root", lab.path, "--json", "--cleanup").json
    assert (answer["removed"], answer["exists"]) == (True, False)
    assert not path.parent.exists()
    assert lab.run_script("exec_state", "--repo-root", lab.path, "--json", "--cleanup").json["removed"] is False
    assert lab.call("resume_check").json["detail"] == "tsv_reconstruction_only"


# environment


def test_environment_reports_the_machine(lab: Lab):
    answer = lab.run_script("environment", "--repo", lab.path).json
    assert answer["summary"].startswith("cpu=")
    line = lab.run_script("environment", "--repo", lab.path, "--summary").out
    assert line.startswith("cpu=") and " ram=" in line and " gpu=" in line and line.count("\n") == 1
    lab.call("init_run", "--baseline-metric", 1)
    assert f"# environment: {line}" in lab.repo.read("research-results.tsv")


# select_parallel_batch


def worker(name: str, metric: object = None, **more: object) -> dict[str, object]:
    found = {"worker_id": name, "description": f"idea {name}", "commit": f"abc123{name}", "guard": "pass", **more}
    return {**found, **({} if metric is None else {"metric": metric})}


def batch(lab: Lab, *workers: object) -> Ran:
    path = lab.path.parent / "batch.json"
    path.write_text(json.dumps(workers))
    return lab.call("select_parallel_batch", "--batch-file", path)


@pytest.mark.parametrize(
    ("workers", "winner"),
    [
        ([worker("a", 8), worker("b", 7)], "b"),
        ([worker("a", 8, diff_size=20), worker("b", 8, diff_size=10)], "b"),
        ([worker("b", 8), worker("a", 8)], "a"),
        ([worker("a", 8), worker("b", 1, guard="fail")], "a"),
        ([worker("a", 8), worker("b", 1, status="crash")], "a"),
        ([worker("a", 8), worker("b", 1, status="timeout")], "a"),
        ([worker("a", "7.5"), worker("b", 8)], "a"),
    ],
)
def test_the_best_worker_is_kept(lab: Lab, workers: list[Any], winner: str):
    lab.report()
    answer = batch(lab, *workers).json
    assert (answer["iteration"], answer["selected_worker"], answer["status"]) == (1, winner, "keep")
    best = next(item for item in workers if item["worker_id"] == winner)
    assert answer["retained_metric"] == float(best["metric"])
    lab.sound()
    assert [f"{row.iteration}{row.worker}" for row in lab.rows()] == [
        "0",
        *(f"1{w['worker_id']}" for w in workers),
        "1",
    ]
    assert lab.rows()[-1].description == f"[PARALLEL batch] selected worker-{winner}: idea {winner}"
    assert lab.rows()[1].description.startswith(f"[PARALLEL worker-{workers[0]['worker_id']}] idea")
    assert "### L-1" in lab.repo.read("autoresearch-lessons.md")


@pytest.mark.parametrize(
    "workers",
    [
        [worker("a", 12), worker("b", 10)],
        [worker("a", status="crash"), worker("b", status="timeout")],
        [worker("a", 8, guard="fail")],
    ],
)
def test_without_a_winner_there_is_one_discard(lab: Lab, workers: list[Any]):
    lab.report()
    answer = batch(lab, *workers).json
    assert (answer["selected_worker"], answer["status"], answer["retained_metric"]) == (None, "discard", 10)
    lab.sound()
    state = lab.state()["state"]
    assert (state["iteration"], state["discards"], state["consecutive_discards"]) == (1, 1, 1)


def test_labels_and_commits_of_the_winner_count(lab: Lab):
    lab.report("--required-keep-label", "real")
    commits = {"/elsewhere/api": "def5678"}
    workers = [worker("a", 7), worker("b", 8, labels=["Real"], repo_commits=commits)]
    answer = batch(lab, *workers).json
    assert (answer["selected_worker"], answer["retained_labels"]) == ("b", ["real"])
    assert lab.state()["state"]["last_repo_commits"].items() > commits.items()
    assert "(missing required label: real)" in lab.rows()[1].description
    lab.sound()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[", "not JSON"),
        ("[]", "no workers"),
        ("{}", "no workers"),
        ("[1]", "not a JSON object"),
        ('[{"worker_id": "A"}]', "expected lowercase letters"),
        ('[{"worker_id": "a1"}]', "expected lowercase letters"),
        ('[{"worker_id": "a"}, {"worker_id": "a"}]', "two workers"),
        ('[{"worker_id": "a", "status": "done"}]', "status 'done'"),
        ('[{"worker_id": "a", "guard": "maybe"}]', "guard 'maybe'"),
        ('[{"worker_id": "a", "metric": "NaN"}]', "metric of worker a"),
        ('[{"worker_id": "a", "metric": true}]', "metric of worker a"),
        ('[{"worker_id": "a", "diff_size": "x"}]', "diff_size"),
        ('[{"worker_id": "a", "repo_commits": []}]', ""),
        ('[{"worker_id": "a", "labels": ["a b"]}]', "label 'a b'"),
    ],
)
def test_a_bad_batch_writes_nothing(lab: Lab, content: str, words: str):
    lab.report()
    path = lab.path.parent / "batch.json"
    path.write_text(content)
    before = tree_of(lab.path)
    ran = lab.call("select_parallel_batch", "--batch-file", path)
    if words:
        refused(ran, words)
        assert tree_of(lab.path) == before
    else:
        assert ran.json["status"] == "discard", "an empty list of commits is none"


def test_batches_refuse(lab: Lab):
    lab.init()
    refused(batch(lab, worker("a", 8)), "this run is measured", "run_batch")
    refused(lab.call("select_parallel_batch", "--batch-file", "/nowhere"), "cannot be read")
    refused(lab.call("select_parallel_batch"), code=2)


# init_run


def test_a_reported_run_writes_log_and_snapshot(lab: Lab):
    flags = ("--scope", "src/", "--verify", "v", "--guard", "g", "--iterations", 10, "--stop-condition", "at most 3")
    answer = lab.report("--goal", "Fewer Any types", *flags, "--required-keep-label", "A,b", "--run-tag", "any-v2")
    assert set(answer) >= {"results_path", "state_path", "session_mode", "parallel_mode", "message"}
    assert (answer["baseline_metric"], answer["baseline_commit"]) == (10, lab.repo.git("rev-parse", "--short", "HEAD"))
    head = [line for line in lab.repo.read("research-results.tsv").split("\n") if line.startswith("# ")]
    assert head[:3] == ["# metric_direction: lower", "# mode: loop", "# run_tag: any-v2"]
    for line in ("parallel: serial", "web_search: disabled", "goal: Fewer Any types", "scope: src/", "iterations: 10"):
        assert f"# {line}" in head
    assert "# required_keep_labels: a, b" in head
    config = lab.state()["config"]
    assert (config["stop_condition"], config["repos"][0]["role"]) == ("at most 3", "primary")
    assert "execution_policy" not in config
    lab.sound()
    assert lab.repo.status() == ""


def test_an_old_run_is_archived_when_asked(lab: Lab):
    lab.init()
    lab.trial(9)
    refused(lab.call("init_run", "--baseline-metric", 5), "there is already a run here", "--force")
    old = lab.repo.read("research-results.tsv")
    lab.init("--force")
    assert lab.repo.read("research-results.prev.tsv") == old
    assert (lab.path / "autoresearch-state.prev.json").exists()
    assert (lab.path / "autoresearch-evidence.prev/0001/trial.json").exists()
    assert not lab.evidence("0001").exists()
    assert (lab.path / "autoresearch-lessons.md").exists()
    lab.sound()
    assert lab.repo.status() == ""


def test_exec_mode_archives_by_itself_and_wants_a_clean_tree(lab: Lab):
    lab.report()
    flags = ("--mode", "exec", "--scope", "src/", "--verify", "cat src/value")
    blocked = lab.call("init_run", *flags)
    assert (blocked.code, "exec mode has no iteration count" in blocked.err) == (2, True)
    lab.repo.write("stranger", "x\n")
    blocked = lab.call("init_run", *flags, "--iterations", 3)
    assert (blocked.code, "uncommitted changes in stranger" in blocked.err) == (2, True)
    assert not (lab.path / "research-results.prev.tsv").exists()
    (lab.path / "stranger").unlink()
    assert lab.call("init_run", *flags, "--iterations", 3).code == 0
    names = {path.name for path in lab.path.iterdir()}
    assert {"research-results.prev.tsv", "autoresearch-state.prev.json"} <= names
    assert "autoresearch-state.json" not in names
    lab.value(9)
    assert lab.try_out().json["status"] == "keep"
    assert not (lab.path / "autoresearch-lessons.md").exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--mode", "dance"), "expected one of loop"),
        (("--iterations", "0"), "expected more than 0"),
        (("--stop-condition", "when it is good"), "is not understood"),
        (("--scope", "../other"), "leaves the repository"),
        (("--companion-repo-scope", "../nowhere=x"), "is not usable"),
        (("--companion-repo-scope", "src=x"), "is the primary repository"),
        (("--metric-pattern", "("), "does not compile"),
        (("--metric-pattern", "x"), "0 groups"),
        (("--alpha", "2"), "alpha is 2"),
        (("--calibrate", "1000000"), "at most 400"),
        (("--min-delta", "-1"), "min-delta"),
        (("--required-keep-label", "a b"), "label 'a b'"),
        (("--baseline-metric", "NaN"), "baseline metric is 'NaN'"),
        (("--verify", ""), "there is no check"),
        (("--verify", "echo"), "gives no number: "),
        (("--verify", "echo 1 2"), "expected exactly one"),
        (("--verify", "sleep 9", "--verify-timeout", "0.2"), "took longer than"),
        (("--guard", "false"), "the guard fails on the untouched tree"),
        (("--require", "rss <= 5"), "--require names 'rss', which the check does not print"),
        (("--require", "rss"), "not understood"),
    ],
)
def test_what_cannot_run_is_refused_at_set_up(lab: Lab, flags: tuple[str, ...], words: str):
    before = tree_of(lab.path)
    refused(lab.call("init_run", "--verify", "cat src/value", *flags), words)
    assert tree_of(lab.path) == before
    assert not (lab.path / "autoresearch-evidence").exists()


@pytest.mark.parametrize("flags", [("--direction", "down"), ("--iterations", "ten"), ("--verify-exit", "1"), ("x",)])
def test_bad_usage_of_init_run(lab: Lab, flags: tuple[str, ...]):
    refused(lab.call("init_run", *flags), code=2)


def test_a_scope_that_a_second_flag_replaces_is_named(lab: Lab):
    flags = ("--verify", "cat src/value", "--scope", "other/**", "--scope", "src/**")
    warned = lab.call("init_run", "--dry-run", *flags).json["warnings"]
    assert any("--scope other/** does not count, for the flag was given again" in warning for warning in warned), warned
    assert not any("src/**" in warning for warning in warned)


# Traps: each is named with both remedies.

BOTH = ("|| true", "--verify-exit any")


def test_grep_that_counts_is_warned_of(lab: Lab):
    (warning,) = lab.init(verify="grep -c 1 src/value", guard="")["warnings"]
    assert "grep -c exits 1 when the count is zero" in warning
    assert all(remedy in warning for remedy in BOTH)
    for remedy in (("grep -c 1 src/value || true",), ("grep -c 1 src/value", "--verify-exit", "any")):
        assert lab.init(*remedy[1:], "--force", verify=remedy[0], guard="")["warnings"] == []


def test_grep_that_finds_nothing_crashes_with_the_remedies(lab: Lab):
    ran = lab.call("init_run", "--verify", "grep -c none src/value")
    refused(ran, "exit code 1", *BOTH)


def test_pytest_is_warned_of(lab: Lab):
    lab.repo.write("bin/pytest", "#!/bin/sh\necho 3\n").chmod(0o755)
    lab.repo.commit("a stand-in")
    warnings = lab.init(verify="bin/pytest -q", guard="")["warnings"]
    (warning,) = [text for text in warnings if "pytest exits 1 while any test fails" in text]
    assert all(remedy in warning for remedy in BOTH)


def test_a_pipe_that_hides_a_failure_is_warned_of(lab: Lab):
    warnings = lab.init(verify="false | wc -l", guard="")["warnings"]
    (warning,) = [text for text in warnings if "the first command of the pipe (false) may fail unseen" in text]
    assert "check its exit code" in warning and "METRIC name=value" in warning


def test_a_number_with_a_bad_exit_code_is_refused(lab: Lab):
    refused(lab.call("init_run", "--verify", "echo 5; exit 2"), "exit code 2", *BOTH)
    assert lab.init("--verify-exit", "any", verify="cat src/value; exit 2")["baseline_metric"] == 10
    assert lab.trial(9)["status"] == "keep"
