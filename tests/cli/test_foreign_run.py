"""A run made by the published tool is read, checked and continued; what it says that we do not know survives."""

from __future__ import annotations

import json
from typing import Any

LOG = """# metric_direction: lower
# mode: loop
# run_tag: any-types-v2
# parallel: serial
# web_search: disabled
# a line without a meaning
# their_header: kept
# environment: cpu=8 ram=16384MB gpu=none python=3.11 container=docker
iteration\tcommit\tmetric\tdelta\tguard\tstatus\tdescription
0\ta1b2c3d\t47\t0\t-\tbaseline\tinitial any count
1\tb2c3d4e\t41\t-6\tpass\tkeep\t[labels: production-path] narrow auth types
2\tc3d4e5f\t49\t+8\t-\tdiscard\tgeneric wrapper
"""
STATE: dict[str, Any] = {
    "version": 1,
    "mode": "loop",
    "run_tag": "any-types-v2",
    "their_top": {"deep": [1, 2.50]},
    "config": {"goal": "no any", "scope": "src/", "verify": "make count", "iterations": 4, "their_config": "x"},
    "state": {
        "iteration": 2,
        "baseline_metric": 47,
        "best_metric": 41,
        "best_iteration": 1,
        "current_metric": 41,
        "current_labels": ["production-path"],
        "last_commit": "b2c3d4e",
        "last_status": "discard",
        "last_trial_commit": "c3d4e5f",
        "last_trial_metric": 49,
        "last_repo_commits": {"/c": "1111111"},
        "last_trial_repo_commits": {"/c": "2222222"},
        "keeps": 1,
        "discards": 1,
        "consecutive_discards": 1,
        "pivot_count": 0,
        "their_state": True,
    },
    "supervisor": {"restart_count": 2, "their_counter": 7},
}


def test_it_resumes_continues_and_keeps_every_unknown_key(repo, run_script):
    repo.write("research-results.tsv", LOG)
    repo.write("autoresearch-state.json", json.dumps(STATE))
    checked = run_script("resume_check", cwd=repo.path).json
    assert (checked["decision"], checked["detail"]) == ("full_resume", "json_matches_tsv")

    flags = ["--status", "keep", "--metric", "40.5", "--commit", "d4e5f60", "--guard", "pass", "--description", "more"]
    commits = {str(repo.path): "d4e5f60"}
    added = run_script("record_iteration", *flags, cwd=repo.path).json
    assert (added["iteration"], added["retained_metric"], added["trial_repo_commits"]) == (3, 40.5, commits)
    assert repo.read("research-results.tsv") == LOG + "3\td4e5f60\t40.5\t-0.5\tpass\tkeep\tmore\n"

    state = json.loads(repo.read("autoresearch-state.json"))
    assert state["their_top"] == STATE["their_top"]
    assert state["config"].items() >= STATE["config"].items()
    assert state["config"]["direction"] == "lower"
    assert state["state"]["their_state"] is True
    assert (state["state"]["keeps"], state["state"]["current_metric"]) == (2, 40.5)
    assert (state["state"]["last_repo_commits"], state["state"]["last_trial_repo_commits"]) == (commits, commits)
    assert (state["supervisor"]["their_counter"], state["supervisor"]["restart_count"]) == (7, 2)

    again = run_script("resume_check", cwd=repo.path).json
    assert (again["decision"], again["detail"]) == ("full_resume", "json_matches_tsv")
    status = run_script("supervisor_status", cwd=repo.path).json
    assert (status["decision"], status["iteration"]) == ("relaunch", 3)
