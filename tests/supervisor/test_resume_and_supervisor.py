"""`resume_check` and `supervisor_status`: every documented decision, detail and reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.lab import CHECK, Lab, refused, tree_of

TRIAL = ("--commit", "abc1234", "--guard", "pass")
LOG, STATE = "research-results.tsv", "autoresearch-state.json"


@pytest.fixture
def reported(lab: Lab) -> Lab:
    """Return a reported run with a keep and a discard."""
    lab.report()
    lab.recorded("keep", "--metric", 8, *TRIAL)
    lab.recorded("discard", "--metric", 9, *TRIAL)
    return lab


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text in a file, which must hold it."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def nothing(lab: Lab) -> None:
    (lab.path / LOG).unlink()
    (lab.path / STATE).unlink()


def older(lab: Lab) -> None:
    old = (lab.path / STATE).read_bytes()
    lab.recorded("no-op")
    (lab.path / STATE).write_bytes(old)


def broken_log(lab: Lab) -> None:
    edit(lab.path / LOG, "\tkeep\t", "\tkept\t")


def broken_state(lab: Lab) -> None:
    (lab.path / STATE).write_text('{"version": 1, "state"')


def both_broken(lab: Lab) -> None:
    broken_log(lab)
    broken_state(lab)


def header_gone(lab: Lab) -> None:
    edit(lab.path / LOG, "iteration\tcommit", "it\tcommit")
    (lab.path / STATE).unlink()


def only_broken_state(lab: Lab) -> None:
    (lab.path / LOG).unlink()
    broken_state(lab)


CASES: dict[str, tuple[Callable[[Lab], object], str, str]] = {
    "sound": (lambda lab: None, "full_resume", "json_matches_tsv"),
    "older snapshot": (older, "full_resume", "rolled_forward"),
    "edited snapshot": (
        lambda lab: edit(lab.path / STATE, '"keeps": 1', '"keeps": 2'),
        "mini_wizard",
        "state_tsv_diverged",
    ),
    "row taken away": (
        lambda lab: (lab.path / LOG).write_text(lab.repo.read(LOG).rpartition("2\t")[0]),
        "mini_wizard",
        "state_tsv_diverged",
    ),
    "another run's snapshot": (
        lambda lab: edit(lab.path / STATE, '"run_tag": "cost"', '"run_tag": "other"'),
        "mini_wizard",
        "state_tsv_diverged",
    ),
    "broken snapshot": (broken_state, "tsv_fallback", "invalid_state_json"),
    "snapshot of a later version": (
        lambda lab: edit(lab.path / STATE, '"version": 1', '"version": 2'),
        "tsv_fallback",
        "invalid_state_json",
    ),
    "no snapshot": (lambda lab: (lab.path / STATE).unlink(), "tsv_fallback", "tsv_reconstruction_only"),
    "no log": (lambda lab: (lab.path / LOG).unlink(), "mini_wizard", "state_without_results"),
    "broken log": (broken_log, "mini_wizard", "state_without_reconstructable_tsv"),
    "both broken": (both_broken, "fresh_start", "unrecoverable_artifacts"),
    "broken log alone": (header_gone, "fresh_start", "unrecoverable_artifacts"),
    "broken snapshot alone": (only_broken_state, "fresh_start", "unrecoverable_artifacts"),
    "nothing": (nothing, "fresh_start", "fresh_start"),
}


READABLE = {"json_matches_tsv", "rolled_forward", "state_tsv_diverged", "invalid_state_json", "tsv_reconstruction_only"}


@pytest.mark.parametrize("case", CASES)
def test_resume_decides(reported: Lab, case: str):
    spoil, decision, detail = CASES[case]
    spoil(reported)
    before = tree_of(reported.path)
    answer = reported.call("resume_check").json
    assert (answer["decision"], answer["detail"]) == (decision, detail)
    assert (answer["has_results"], answer["has_state"]) == (LOG in before, STATE in before)
    assert len(answer["reasons"]) > 0
    assert answer["repaired_state"] is False
    assert tree_of(reported.path) == before
    assert (answer["tsv_summary"] is not None) == (detail in READABLE)


REPAIRABLE = [
    name for name, (_, decision, detail) in CASES.items() if detail in ("rolled_forward", "state_tsv_diverged")
]
REPAIRABLE += ["broken snapshot", "no snapshot", "snapshot of a later version"]


@pytest.mark.parametrize("case", REPAIRABLE)
def test_a_snapshot_is_repaired_from_the_log(reported: Lab, case: str):
    spoil, _, detail = CASES[case]
    spoil(reported)
    wrong = reported.repo.read(STATE) if (reported.path / STATE).exists() else ""
    answer = reported.call("resume_check", "--write-repaired-state").json
    assert (answer["detail"], answer["repaired_state"]) == (detail, True)
    reported.sound()
    aside = reported.path / (STATE + ".bak")
    assert (aside.read_text() if aside.exists() else "") == ("" if detail == "rolled_forward" else wrong)
    assert reported.call("resume_check").json["detail"] == "json_matches_tsv"
    assert reported.repo.status() == ""


@pytest.mark.parametrize("case", ["sound", "no log", "broken log", "both broken", "nothing"])
def test_what_cannot_be_repaired_is_left(reported: Lab, case: str):
    CASES[case][0](reported)
    before = tree_of(reported.path)
    assert reported.call("resume_check", "--write-repaired-state").json["repaired_state"] is False
    assert tree_of(reported.path) == before


def test_a_repair_keeps_the_supervisors_counters_and_foreign_keys(reported: Lab):
    edit(reported.path / STATE, '"version": 1,', '"version": 1, "theirs": 5,')
    reported.call("supervisor_status", "--after-run", "--write-state")
    older(reported)
    reported.call("resume_check", "--write-repaired-state")
    state = reported.state()
    assert (state["theirs"], state["supervisor"]["restart_count"]) == (5, 1)


def test_a_torn_last_line_is_no_harm(reported: Lab):
    path = reported.path / LOG
    path.write_bytes(path.read_bytes() + b"3\tabc1234\t7\t-1\tpass\tke")
    assert reported.call("resume_check").json["detail"] == "json_matches_tsv"
    assert reported.recorded("no-op")["iteration"] == 3
    reported.sound()


def test_a_log_of_the_published_tool_is_read_and_continued(lab: Lab):
    lab.repo.write(
        LOG,
        "# metric_direction: lower\n# mode: loop\n# run_tag: any\n# parallel: serial\n# web_search: disabled\n"
        "iteration\tcommit\tmetric\tdelta\tguard\tstatus\tdescription\n"
        "0\ta1b2c3d\t47\t0\t-\tbaseline\tinitial any count\n"
        "1\tb2c3d4e\t41\t-6\tpass\tkeep\t[labels: production-path] narrow auth types\n"
        "2\tc3d4e5f\t49\t+8\t-\tdiscard\tgeneric wrapper\n"
        "3a\tabc1234\t38\t-3\tpass\tkeep\t[PARALLEL worker-a] narrowed auth types\n"
        "3b\t-\t42\t+1\tpass\tdiscard\t[PARALLEL worker-b] wrapper approach\n"
        "3\tabc1234\t38\t-3\tpass\tkeep\t[PARALLEL batch] selected worker-a: narrowed auth types\n",
    )
    answer = lab.call("resume_check").json
    assert (answer["decision"], answer["tsv_summary"]["best_metric"]) == ("tsv_fallback", 38)
    assert lab.recorded("keep", "--metric", 37, *TRIAL)["iteration"] == 4
    lab.sound()


# Supervisor


def supervised(lab: Lab, *flags: object) -> tuple[str, str]:
    """Decision and reason."""
    answer = lab.call("supervisor_status", *flags).json
    assert set(answer) >= {"reasons", "mode", "iteration", "last_status", "restart_count", "stagnation_count"}
    return answer["decision"], answer["reason"]


def times(count: int, status: str) -> Callable[[Lab], None]:
    def act(lab: Lab) -> None:
        for _ in range(count):
            lab.recorded(status, "--description", "x")

    return act


def spoiled(name: str) -> Callable[[Lab], object]:
    return CASES[name][0]


def started(minutes_ago: int) -> Callable[[Lab], None]:
    def act(lab: Lab) -> None:
        import time

        then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60 * minutes_ago))
        path = lab.path / LOG
        start = next(line for line in path.read_text().split("\n") if '"kind": "start"' in line)
        edit(path, start, f'# event: {{"kind": "start", "at": "{then}"}}')

    return act


VERDICTS: dict[str, tuple[tuple[object, ...], Callable[[Lab], object], str, str]] = {
    "going on": ((), lambda lab: None, "relaunch", "none"),
    "goal": (("--stop-condition", "<= 8"), times(0, "no-op"), "stop", "goal_reached"),
    "cap": (("--iterations", 3), times(1, "no-op"), "stop", "iteration_cap_reached"),
    "exec": (("--iterations", 3, "--mode", "exec"), times(1, "no-op"), "stop", "exec_mode_completed"),
    "budget": (("--max-minutes", 90), started(91), "stop", "budget_exhausted"),
    "budget left": (("--max-minutes", 90), started(88), "relaunch", "none"),
    "blocked": ((), times(1, "blocked"), "needs_human", "blocked"),
    "two pivots": ((), times(2, "pivot"), "relaunch", "none"),
    "three pivots": ((), times(3, "pivot"), "needs_human", "soft_blocked"),
    "edited": ((), spoiled("edited snapshot"), "needs_human", "state_inconsistent"),
    "broken": ((), spoiled("broken log"), "needs_human", "state_inconsistent"),
    "without log": ((), spoiled("no log"), "needs_human", "state_inconsistent"),
    "without snapshot": ((), lambda lab: (lab.path / STATE).unlink(), "relaunch", "none"),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_the_supervisor_decides(lab: Lab, case: str):
    flags, act, decision, reason = VERDICTS[case]
    lab.report(*flags)
    lab.recorded("keep", "--metric", 8, *TRIAL)
    lab.recorded("discard", "--metric", 9, *TRIAL)
    act(lab)
    before = tree_of(lab.path)
    assert supervised(lab) == (decision, reason)
    assert tree_of(lab.path) == before


def test_a_goal_needs_the_stop_labels_too(lab: Lab):
    lab.report("--stop-condition", "<= 8", "--required-stop-label", "prod")
    lab.recorded("keep", "--metric", 8, *TRIAL)
    assert supervised(lab) == ("relaunch", "none")
    lab.recorded("keep", "--metric", 7, *TRIAL, "--label", "prod")
    assert supervised(lab) == ("stop", "goal_reached")


def test_fix_mode_stops_at_zero(lab: Lab):
    lab.report("--mode", "fix")
    lab.recorded("keep", "--metric", 0, *TRIAL)
    assert supervised(lab) == ("stop", "goal_reached")


def test_sessions_that_record_nothing_stagnate(reported: Lab):
    after = ("--after-run", "--write-state", "--max-stagnation", 2)
    assert supervised(reported, *after) == ("relaunch", "none")
    assert supervised(reported, *after) == ("relaunch", "none")
    assert supervised(reported, *after) == ("needs_human", "stagnated")
    assert supervised(reported, "--max-stagnation", 0) == ("relaunch", "none")
    state = reported.state()["supervisor"]
    assert (state["restart_count"], state["stagnation_count"], state["recommended_action"]) == (3, 2, "needs_human")
    assert (state["should_continue"], state["terminal_reason"]) == (False, "stagnated")
    assert (state["last_exit_kind"], state["last_reason"]) == ("stagnated", "stagnated")
    reported.recorded("no-op")
    assert supervised(reported, *after) == ("relaunch", "none")
    assert reported.state()["supervisor"]["stagnation_count"] == 0
    reported.sound()


def test_a_session_that_made_no_run_is_started_again(lab: Lab):
    before = tree_of(lab.path)
    assert supervised(lab, "--after-run") == ("relaunch", "missing_artifacts")
    refused(lab.call("supervisor_status"), "there is no run here")
    assert tree_of(lab.path) == before


def test_exec_mode_is_supervised_by_its_scratch_snapshot(lab: Lab):
    lab.report("--mode", "exec", "--iterations", 2)
    answer: Any = lab.call("supervisor_status", "--after-run", "--write-state").json
    assert (answer["decision"], answer["mode"]) == ("relaunch", "exec")
    path = Path(lab.call("exec_state").out.strip())
    assert '"restart_count": 1' in path.read_text()
    assert lab.call("resume_check").json["detail"] == "json_matches_tsv"
    assert not (lab.path / STATE).exists()


def test_a_session_without_the_exec_script_gets_its_lines_from_the_log(lab: Lab):
    scratch = Path(lab.call("exec_state").out.strip()).parent
    scratch.mkdir(parents=True)
    (scratch / "autoresearch-runtime.exec.json").write_text('{"spent": {"minutes": 1}}')  # a killed script's
    lab.call("init_run", "--mode", "exec", "--iterations", 2, "--scope", "src/", "--verify", CHECK)
    for value in (7, 9):
        lab.value(value)
        answer = lab.try_out().json
        told = [json.loads(line) for line in lab.call("exec_state", "--lines").out.splitlines()]
        assert told[-2]["metric"] == value and told[-1]["total_iterations"] == len(told) - 1
    assert answer["next"]["do"].endswith("autoresearch_exec_state.py --repo-root . --lines --cleanup")
    assert [(row["status"], row["delta"]) for row in told[:-1]] == [("keep", -3), ("discard", 2)]
    last = {name: told[-1][name] for name in ("baseline", "best", "keeps", "discards", "exit_code")}
    assert last == {"baseline": 10, "best": 7, "keeps": 1, "discards": 1, "exit_code": 0}
    assert (told[-1]["status"], told[-1]["reason"]) == ("completed", "exec_mode_completed")
    path = Path(lab.call("exec_state").out.strip())
    assert lab.call("exec_state", "--lines", "--cleanup").out.count("\n") == 3 and not path.exists()
    assert "discard" in lab.call("exec_state", "--lines").out  # the log is the truth, the snapshot may be gone


def test_branches_of_earlier_runs_are_named(lab: Lab):
    assert lab.call("resume_check").json["reasons"] == ["no earlier run"]
    lab.repo.git("branch", "autoresearch/faster")
    assert "autoresearch/faster; look before" in lab.call("resume_check").json["reasons"][-1]


def test_a_run_that_is_over_says_so_to_whoever_takes_it_up(lab: Lab):
    lab.init("--iterations", 1)
    assert "over" not in " ".join(lab.call("resume_check").json["reasons"])
    lab.trial(7)
    said = " ".join(lab.call("resume_check").json["reasons"])
    assert "this run is over (iteration_cap_reached: 1 of 1 iterations are done)" in said and "--force" in said
    assert "- at most: 1 iterations" in lab.call("resume_prompt").out.split("\n")


def test_an_edit_that_a_dead_session_left_is_pointed_out(lab: Lab):
    lab.init()
    assert len(lab.call("resume_check").json["reasons"]) == 1
    lab.value(7)
    said = "an untried edit lies in src/value: look at it"
    answer = lab.call("resume_check").json
    assert answer["decision"] == "full_resume" and answer["reasons"][-1].startswith(said)
    assert said in lab.call("resume_prompt").out
    lab.trial(7)
    assert said not in lab.call("resume_prompt").out
