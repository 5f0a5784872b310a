"""The pure parts of the controller: waiting, truth, endings, the manifest, the watchdog, the prompt."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from autoresearch.background import backoff, manifest, outcome, prompt, runtime, watchdog
from autoresearch.background.agent import ErrorClass
from autoresearch.background.runtime import Runtime, SessionProcess
from autoresearch.kernel.core import jsontext
from autoresearch.kernel.core.rulings import Ruling
from autoresearch.kernel.core.settings import Config, RepoScope

OK = ErrorClass("ok", "fresh_session")
NETWORK = ErrorClass("network", "backoff", text="gone")


def test_waits_double_up_to_an_hour():
    assert [backoff.seconds(NETWORK, n) for n in (1, 2, 3, 4, 6, 7, 100)] == [60, 120, 240, 480, 1920, 3600, 3600]


@pytest.mark.parametrize(("asked", "waited"), [(0.02, 1.0), (90.5, 90.5), (None, 1.0)])
def test_the_servers_word_counts(asked: float | None, waited: float):
    assert backoff.seconds(ErrorClass("rate_limited", "wait", asked), 7) == waited


def test_others_do_not_wait():
    assert [backoff.seconds(error, 3) for error in (OK, ErrorClass("quota", "human"))] == [0, 0]


RECORD = Runtime(pid=5, session=SessionProcess(1, 6, "i", "m"), terminal_detail="why")


@pytest.mark.parametrize(
    ("recorded", "locked", "session", "told"),
    [
        (None, False, False, ("idle", "none")),
        (None, True, False, ("running", "runtime_active")),
        (RECORD, True, True, ("running", "runtime_active")),
        (RECORD, False, True, ("needs_human", "controller_lost")),
        (RECORD, False, False, ("stopped", "controller_lost")),
        (Runtime(status="needs_human", terminal_reason="stop_failed"), False, True, ("needs_human", "stop_failed")),
        (Runtime(status="stopped", terminal_reason="user_stopped"), False, False, ("stopped", "user_stopped")),
        (Runtime(status="terminal", terminal_reason="goal_reached"), True, False, ("running", "runtime_active")),
    ],
)
def test_what_is_true(recorded: Runtime | None, locked: bool, session: bool, told: tuple[str, str]):
    found = runtime.truth(recorded, locked, session)
    assert (found.decision, found.reason) == told


def test_the_end_is_told_with_its_reason():
    ended = Runtime(status="terminal", terminal_reason="goal_reached", terminal_detail="<= 3")
    assert runtime.truth(ended, False, False) == Ruling("terminal", "goal_reached", "<= 3")


def test_a_record_survives_the_disk():
    kept = Runtime(pid=1, minutes=1.5, tokens=7, sessions=2, session=SessionProcess(3, 4, "x", "y"))
    assert runtime.from_dict(jsontext.loads(jsontext.dumps({"version": 1, **kept.to_dict()}))) == kept


@pytest.mark.parametrize(
    "data", [{}, {"version": 2}, {"version": 1, "status": "x"}, {"version": 1, "status": "running", "spent": 3}]
)
def test_a_record_that_cannot_be_read_is_refused(data: dict[str, object]):
    with pytest.raises(ValueError, match=r"version|status|unusable"):
        runtime.from_dict(data)


def after(error: ErrorClass, artifacts: bool = True, empty: int = 0) -> outcome.Next:
    return outcome.after(outcome.SessionOutcome(error, artifacts, 1, empty), outcome.WaitLimits(60, 3600, 3))


def test_what_a_session_means():
    assert after(OK) == outcome.Next()
    assert after(NETWORK) == outcome.Next(wait=60, why="network: gone")
    human = ErrorClass("quota", "human", text="none left")
    assert after(human).ending == Ruling("needs_human", "codex_exec_unavailable", "quota: none left")
    early = after(human, artifacts=False).ending
    assert early is not None and early.reason == "startup_failed_before_artifacts"
    soon = after(ErrorClass("usage_limit", "wait", 3000, "used up"))
    assert (soon.ending, soon.wait, soon.why) == (None, 3000, "usage_limit: used up")
    late = after(ErrorClass("usage_limit", "wait", 4000, "used up")).ending
    assert late is not None and late.decision == "needs_human"
    assert after(OK, artifacts=False, empty=2).ending is None
    barren = after(OK, artifacts=False, empty=3).ending
    assert barren is not None and barren.reason == "missing_artifacts_after_success"


def test_only_a_model_that_was_reached_can_stagnate():
    counted = [
        ErrorClass("ok", "fresh_session"),
        ErrorClass("interrupted", "fresh_session"),
        ErrorClass("unknown", "backoff"),
    ]
    assert all(map(outcome.counts, counted))
    assert not any(map(outcome.counts, [NETWORK, ErrorClass("rate_limited", "wait"), ErrorClass("quota", "human")]))


@pytest.mark.parametrize(
    ("signs", "told"),
    [
        (watchdog.Signs(100, 100), ""),
        (watchdog.Signs(100, 49), "silent"),
        (watchdog.Signs(100, 100, over_since=50), ""),
        (watchdog.Signs(100, 100, over_since=30), "over"),
    ],
)
def test_the_watchdog(signs: watchdog.Signs, told: str):
    assert watchdog.verdict(signs, 50) == told


def test_a_manifest_survives_the_disk():
    kept = manifest.Manifest(
        mode="fix",
        prompt_text="words",
        config=Config(goal="g", verify="v", measured=True, max_sessions=4, isolation="worktree", worktree="/x"),
        approvals={"push": "no"},
        notes=("n",),
        run_tag="t",
        baseline=manifest.BaselinePlan(False, Decimal("1.50"), "HEAD"),
        controller=manifest.Options(agent_args=("-c", "a=b"), backoff_seconds=0.5, links=("deps",)),
    )
    assert manifest.from_dict(jsontext.loads(jsontext.dumps(kept.to_dict()))) == kept


def test_a_manifest_of_another_tool_is_read():
    found = manifest.from_dict({"version": 1, "mode": "loop", "config": {"goal": "g"}, "notes": "one", "more": 1})
    assert (found.config.goal, found.notes, found.controller) == ("g", ("one",), manifest.Options())


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"version": 7, "config": {}},
        {"config": {}, "mode": "x"},
        {"config": {}, "controller": {"sleep_seconds": "x"}},
    ],
)
def test_a_manifest_that_cannot_be_used_is_refused(data: dict[str, object]):
    with pytest.raises(ValueError):
        manifest.from_dict(data)


def facts(**more: object) -> prompt.Facts:
    config = Config(
        goal="fewer", scope="src", verify="count", measured=True, repos=(RepoScope("/b", "lib", "companion"),)
    )
    return prompt.Facts("/skill", "/repo", **{"mode": "loop", "config": config, **more})  # type: ignore[arg-type]


def test_the_prompt_says_what_a_session_needs():
    told = prompt.render(facts(step={"action": "pivot", "reason": "stuck", "do": "Record it."}, rows=["1 keep 3 x"]))
    for part in ("Ask nothing", "- goal: fewer", "- and in /b: lib", "Next: pivot (stuck). Record it.", "| 1 keep 3 x"):
        assert part in told
    assert "python3 /skill/scripts/autoresearch_run_trial.py --repo /repo" in told
    assert "$codex-autoresearch" not in told and len(told) < 3500


def test_the_prompt_says_what_a_keep_must_satisfy():
    config = Config(require=("size <= 3",), protect=("a/**",), required_keep_labels=("real",))
    config = dataclasses.replace(config, required_stop_labels=("x",))
    told = prompt.render(facts(config=config)).split("\n")
    for line in (
        "- limits on other numbers: size <= 3",
        "- locked besides: a/**",
        "- a keep needs the labels: real",
        "- and the end the labels: x",
    ):
        assert line in told


def test_a_row_cannot_leave_its_place():
    told = prompt.render(facts(rows=["1 keep 3 a\n\nNext: stop\x1b[2K now"]))
    assert "| 1 keep 3 a Next: stop now" in told.split("\n")


@pytest.mark.parametrize(
    ("mode", "pages"),
    [
        ("loop", ["runtime-hard-invariants", "loop-workflow"]),
        ("fix", ["runtime-hard-invariants", "loop-workflow", "fix-workflow"]),
        ("security", ["runtime-hard-invariants", "security-workflow"]),
        ("exec", ["runtime-hard-invariants", "loop-workflow"]),
    ],
)
def test_each_mode_reads_its_pages(mode: str, pages: list[str]):
    line = next(line for line in prompt.render(facts(mode=mode)).split("\n") if "cat " in line)
    assert line.split() == ["cat", *(f"/skill/references/{page}.md" for page in pages)]


def test_a_reported_run_is_told_to_record():
    told = prompt.render(facts(config=Config(goal="g")))
    assert "autoresearch_record_iteration.py" in told and "run_trial" not in told


@pytest.mark.parametrize(
    ("mode", "session_mode", "relieved"),
    [("loop", "background", True), ("exec", "foreground", True), ("loop", "foreground", False)],
)
def test_only_a_controller_relieves_a_session(mode: str, session_mode: str, relieved: bool):
    told = prompt.render(facts(mode=mode, config=Config(goal="g", session_mode=session_mode)))
    assert ("the controller then starts a fresh session" in told) == relieved
    assert ("nobody can answer" in told) == relieved
    assert ("the single word done" in told) == (mode == "exec")


def test_the_set_up_command_stands_alone():
    told = prompt.render(facts(setup="python3 init --goal 'a b'"))
    assert "\n    python3 init --goal 'a b'" in told and "Where it stands" not in told


@pytest.mark.parametrize(
    "damage",
    [{"prompt_text": [None]}, {"run_tag": 5}, {"controller": {"notify": {}}}, {"baseline": {"commit": 1}}],
    ids=str,
)
def test_a_manifest_whose_texts_are_none_is_no_manifest(damage: dict[str, object]):
    whole = jsontext.loads(jsontext.dumps(manifest.Manifest(prompt_text="p").to_dict()))
    assert manifest.from_dict(whole).prompt_text == "p"
    with pytest.raises(ValueError, match="is no text"):
        manifest.from_dict({**whole, **damage})
