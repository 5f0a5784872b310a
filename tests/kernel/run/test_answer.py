"""The answer of run_trial: short enough to be read each time, and enough for an agent that forgot everything."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lab import Lab

LIMIT = 1400  # characters: 400 tokens at the 3.5 that JSON of this kind has for each


def said(lab: Lab, value: object, *flags: object) -> tuple[str, str]:
    """A trial's next action and its reason."""
    following = lab.trial(value, *flags)["next"]
    return following["action"], following["reason"]


def test_the_ladder_is_climbed_step_by_step(lab: Lab):
    lab.init("--web-search", "enabled")
    assert said(lab, 20) == ("continue", "")
    assert said(lab, 21) == ("continue", "")
    assert said(lab, 22) == ("refine", "3 experiments in a row did not help")
    lab.recorded("refine", "--description", "smaller steps")
    assert said(lab, 23) == ("pivot", "5 experiments in a row without a keep")
    lab.recorded("pivot", "--description", "abandoned steps, now leaps")
    assert said(lab, 24) == ("continue", "")
    lab.recorded("pivot", "--description", "abandoned leaps, now rest")
    assert said(lab, 25) == ("search", "2 pivots without a keep")
    lab.recorded("search", "--description", "how others rest")
    assert said(lab, 26) == ("continue", "")
    lab.recorded("pivot", "--description", "abandoned rest")
    following = lab.call("supervisor_status").json
    assert (following["decision"], following["reason"]) == ("needs_human", "soft_blocked")


def test_a_keep_starts_the_ladder_anew(lab: Lab):
    lab.init()
    for value in (20, 21):
        lab.trial(value)
    assert said(lab, 9) == ("continue", "")
    assert said(lab, 20) == ("continue", "")


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (("--stop-condition", "at most 9"), "goal_reached: the retained metric satisfies <= 9"),
        (("--iterations", "1"), "iteration_cap_reached: 1 of 1 iterations are done"),
    ],
)
def test_the_end_is_said(lab: Lab, flags: tuple[str, ...], reason: str):
    lab.init(*flags)
    assert said(lab, 9) == ("stop", reason)


def test_the_same_crash_five_times_needs_a_human(lab: Lab):
    lab.init()
    for number in range(4):
        assert lab.trial(f"none {'x' * number}")["next"]["action"] != "needs_human"
    assert said(lab, "none at all") == ("needs_human", "the same crash 5 times in a row")


def test_it_carries_what_an_agent_needs(lab: Lab):
    lab.init("--iterations", 5, "--max-minutes", 60)
    lab.trial(9)
    following = lab.trial(12)["next"]
    assert following["goal"] == "cut the cost"
    assert following["scope"] == "src/"
    assert "autoresearch_run_trial.py" in following["do"]
    assert following["last"] == ["0 baseline 10 initial cost", "1 keep 9 set 9", "2 discard 12 set 12"]
    assert following["left"] == {"iterations": 3, "minutes": 60}


def long_run(lab: Lab) -> Any:
    """A run whose every text is as long as it may be, one step before a pivot."""
    words = "very long words of an agent that explains itself " * 20
    number = "0.12345678901234567890"
    lab.value(number)
    lab.repo.commit("long")
    more = ("--iterations", 1000, "--max-minutes", 600, "--max-tokens", 9_000_000, "--web-search", "enabled")
    lab.init("--goal", words, *more, verify="cat src/value; echo some words on stderr that go on and on >&2")
    for nine in range(1, 5):
        answer = lab.trial(f"{number}{nine}", "--hypothesis", words, description=words)
    return answer, words


def test_it_stays_under_four_hundred_tokens(lab: Lab):
    lab.scope = "src/ lib/ packages/some/long/path/**/*.ts other/folder/**"
    answer, words = long_run(lab)
    assert answer["next"]["action"] == "refine"
    assert len(json.dumps(answer, ensure_ascii=False)) <= LIMIT
    lab.repo.write("src/broken", "")
    lab.value("0.1")
    ran = lab.try_out(description=words)
    assert (ran.json["guard"], ran.json["next"]["action"]) == ("fail", "pivot")
    assert len(ran.out) <= LIMIT
    lab.value("none " + words)
    ran = lab.try_out(description=words)
    assert ran.json["status"] == "crash"
    assert len(ran.out) <= LIMIT
    assert ran.out.count("\n") == 1


def test_ten_trials_by_hand(lab: Lab):
    """Each outcome once; at the end the tree is clean, the log folds, and each number has its evidence."""
    lab.repo.write("check.sh", ". ./src/run\n")
    lab.repo.write("src/run", "cat src/value\n")
    lab.repo.commit("run")
    lab.init("--required-keep-label", "real", "--iterations", 10, verify="sh check.sh", guard="test ! -e src/broken")
    real = ("--label", "real")

    def broken() -> None:
        lab.repo.write("src/broken", "")
        lab.value(4)

    edits: list[tuple[Any, tuple[str, ...], str]] = [
        (lambda: lab.value(9), real, "keep"),
        (lambda: lab.value(12), real, "discard"),
        (lambda: lab.value("9.0"), real, "discard"),
        (broken, real, "discard"),
        (lambda: lab.repo.write("src/run", "exit 7\n"), real, "crash"),
        (lambda: lab.repo.write("src/run", "echo 1 2\n"), real, "crash"),
        (lambda: None, real, "no-op"),
        (lambda: lab.value(7), (), "discard"),
        (lambda: lab.repo.write("src/run", "(setsid sleep 62 >/dev/null 2>&1 &); echo 6\n"), real, "crash"),
        (lambda: lab.value(5), real, "keep"),
    ]
    answers: list[Any] = []
    for edit, labels, status in edits:
        edit()
        answers.append(lab.trial(None, *labels, description=f"number {len(answers) + 1}"))
        assert answers[-1]["status"] == status
        assert lab.repo.status() == ""
    assert answers[-1]["next"]["action"] == "stop"
    assert [row.status for row in lab.rows()] == ["baseline", *(status for _, _, status in edits)]
    state = lab.state()["state"]
    counts = {
        key: state[key] for key in ("iteration", "keeps", "discards", "crashes", "no_ops", "consecutive_discards")
    }
    assert counts == {"iteration": 10, "keeps": 2, "discards": 4, "crashes": 3, "no_ops": 1, "consecutive_discards": 0}
    assert (state["current_metric"], state["best_iteration"]) == (5, 10)
    for row in lab.rows():
        if row.commit != "-":
            assert lab.repo.git("cat-file", "-t", row.commit) == "commit"
            evidenced(lab, row)


def evidenced(lab: Lab, row: Any) -> None:
    """The row's number can be followed to the output that was captured, and its patch to a file."""
    if row.status == "baseline":
        (event,) = lab.events("samples")
        assert [sample["value"] for sample in event["samples"]] == [row.metric] * 3
        assert float(lab.evidence("0000/verify-1.out").read_text()) == row.metric
        return
    trial = json.loads(lab.evidence(f"{row.iteration:04d}/trial.json").read_text())
    assert (trial["status"], trial["description"]) == (row.status, row.description)
    assert lab.evidence(f"{row.iteration:04d}/patch.diff").read_bytes().startswith(b"diff --git a/src/")
    sample = trial["samples"][0]
    if row.status != "crash":
        assert sample["value"] == row.metric
        assert float(lab.evidence(f"{row.iteration:04d}/verify-1.out").read_text()) == row.metric
    assert sample["exit_code"] == (7 if "exit code 7" in row.description else 0)


def test_an_agent_that_kept_only_the_answer_is_told_the_rest_by_one_command(lab: Lab):
    lab.init("--stop-condition", "<= 3")
    command = lab.trial(9)["next"]["unsure"]
    assert command.endswith("/scripts/autoresearch_resume_prompt.py --repo .")
    told = lab.call("resume_prompt").out
    for part in ("- check: ", "lower is better", "- done when: <= 3", "autoresearch_run_trial.py", "retained 9"):
        assert part in told
    assert "controller then starts" not in told


def test_agreed_limits_come_back_with_their_values(lab: Lab):
    verify = "cat src/value; echo METRIC cost=$(cat src/value); echo METRIC size=3; echo METRIC other=1"
    lab.init("--require", "size <= baseline", "--metric-key", "cost", verify=verify)
    assert lab.trial(9)["others"] == {"size": 3}


def test_the_end_tells_what_a_summary_needs(lab: Lab):
    lab.init("--iterations", 2)
    assert "counts" not in lab.trial(9)["next"]
    counts = lab.trial(12)["next"]["counts"]
    found = {"keeps": 1, "discards": 1, "crashes": 0}
    assert counts == {"baseline": 10, "best": 9, "experiments": 2, **found, "minutes": 0}
