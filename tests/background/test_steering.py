"""The user at a run: more of what was agreed, a word, a pause, a kept experiment taken back."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from autoresearch.kernel.disk import journal

from tests.background.conftest import Scripted
from tests.conftest import Ran
from tests.lab import Lab, refused
from tests.unattended import TRIAL, until

QUEUED = f"{TRIAL} --queue"


def step(value: int) -> list[object]:
    """One experiment."""
    return [f"echo {value} > value", TRIAL]


def events(background: Scripted, kind: str) -> list[dict[str, object]]:
    """The events of one kind in the log."""
    log = journal.read(background.repo.path / "research-results.tsv")
    return [dict(event) for event in log.events if event.get("kind") == kind]


@pytest.mark.parametrize(
    ("flags", "more", "reason"),
    [
        (("--iterations", 1), ("--iterations", "+1"), "iteration_cap_reached"),
        (("--stop-condition", "<= 9"), ("--stop-condition", "<= 8"), "goal_reached"),
        (("--max-sessions", 1), ("--max-sessions", 2), "budget_exhausted"),
    ],
)
def test_a_run_that_ended_goes_on(
    background: Scripted, flags: tuple[object, ...], more: tuple[object, ...], reason: str
):
    background.plan(step(9), step(8))
    background.launch(*flags)
    assert background.ended()["reason"] == reason
    refusal = background.ctl("start")
    assert refusal.code == 1 and "nothing to go on with" in refusal.err
    ran = background.ctl("start", *more)
    assert ran.code == 0, ran.err
    assert background.ended()["reason"] == reason
    assert background.statuses() == ["baseline", "keep", "keep"]
    (agreed,) = events(background, "agreed")
    assert agreed["iteration"] == 1 and more[0].strip("-").replace("-", "_") in agreed["config"]  # type: ignore


def test_a_start_that_is_refused_agrees_on_nothing(background: Scripted):
    background.plan(step(9), step(8))
    background.launch("--iterations", 1)
    background.ended()
    background.repo.write("value", "3\n")
    for _ in range(2):
        refusal = background.ctl("start", "--iterations", "+1")
        assert refusal.code == 1 and "uncommitted changes" in refusal.err
    background.repo.git("restore", "value")
    assert background.ctl("start", "--iterations", "+1").json["left"] == {"iterations": 1}
    background.ended()
    assert len(events(background, "agreed")) == 1


def test_more_that_is_not_enough_is_refused(background: Scripted):
    background.plan(step(9))
    background.launch("--iterations", 1, "--stop-condition", "<= 9")
    background.ended()
    refusal = background.ctl("start", "--iterations", "+5")
    assert refusal.code == 1 and "still be over (goal_reached" in refusal.err
    assert background.ctl("start", "--iterations", "0").code == 1
    assert background.ctl("start", "--stop-condition", "blue").code == 1
    assert events(background, "agreed") == []


def test_a_hand_over_is_answered(lab: Lab, run_script: Callable[..., Ran]):
    lab.init()
    for number in range(3):
        lab.recorded("pivot", "--description", f"another way {number}")
    refused(lab.try_out(), "soft_blocked")
    assert run_script("init_run", "--repo", lab.path, "--extend", "--iterations", 2).json["left"] == {"iterations": 2}
    assert lab.trial(9)["status"] == "keep"
    assert lab.trial(8)["next"]["action"] == "stop"
    lab.sound()


def test_a_word_is_in_the_next_answer_and_prompt(background: Scripted):
    background.plan([*step(9), {"silent": 1}, *step(8)], step(7))
    background.launch("--iterations", 3)
    assert until(lambda: len(background.rows()) == 2)
    assert background.ctl("tell", "leave the parser\n\x1b[31malone").json["told"] == "leave the parser alone"
    background.ended()
    assert [event["text"] for event in events(background, "tell")] == ["leave the parser alone"]
    assert '"user_says": ["leave the parser alone"]' in background.outputs()
    assert "said by the user in mid-run: leave the parser alone" in background.prompts()[1]


@pytest.mark.parametrize(
    "text",
    [
        "do 20 more iterations",
        "stop after 3 more",
        "widen the scope to lib/",
        "use another guard",
        "change the metric",
        " ",
    ],
)
def test_a_word_that_would_change_the_agreement_is_refused(lab: Lab, text: str):
    lab.init()
    before = lab.log()
    refused(lab.run_script("runtime_ctl", "tell", "--repo", lab.path, text))
    assert lab.log() == before


def test_the_agreement_is_not_changed_under_a_controller(background: Scripted, run_script: Callable[..., Ran]):
    """Neither by a user who has another command in mind, nor by a session for itself."""
    extend = f"{TRIAL.partition(' --desc')[0].replace('run_trial', 'init_run')} --extend --iterations 9"
    background.plan([*step(9), f"{extend} || touch ../refused", {"silent": 300}], step(8))
    background.launch("--iterations", 2)
    assert until(lambda: (background.repo.path.parent / "refused").exists() or events(background, "agreed"))
    more = ("init_run", "--repo", background.repo.path, "--extend", "--iterations", 9)
    refused(run_script(*more), "a controller works on this run", "runtime_ctl pause")
    fresh = ("--force", "--scope", "value", "--verify", "cat value")
    refused(run_script("init_run", "--repo", background.repo.path, *fresh), "a controller works on this run")
    background.ctl("pause")
    background.ended()
    assert events(background, "agreed") == []
    assert run_script(*more).json["left"] == {"iterations": 9}


def test_a_pause_ends_between_two_experiments(background: Scripted):
    background.plan([*step(9), "touch ../ready; sleep 2", *step(8), {"silent": 300}], step(7))
    background.launch("--stop-condition", "<= 7")
    assert until(lambda: (background.repo.path.parent / "ready").exists())
    paused = background.ctl("pause").json
    assert paused["status"] == "running" and "then the run stops" in paused["detail"]
    ended = background.ended()
    assert (ended["status"], ended["reason"]) == ("stopped", "user_paused")
    assert background.repo.status() == ""
    background.ctl("start")
    assert background.ended()["reason"] == "goal_reached"


def test_a_pause_needs_a_controller(lab: Lab):
    lab.init()
    refused(lab.run_script("runtime_ctl", "pause", "--repo", lab.path), "no controller is at work")


def test_a_kept_experiment_is_taken_back(lab: Lab, run_script: Callable[..., Ran]):
    lab.init()
    lab.trial(9)
    lab.repo.write("src/extra", "x\n")
    lab.trial(8)
    refused(lab.run_script("runtime_ctl", "take-back", "--repo", lab.path, 3, "--why", "x"), "there is none")
    refused(lab.run_script("runtime_ctl", "take-back", "--repo", lab.path, 2), "--why is missing")
    ran = lab.run_script("runtime_ctl", "take-back", "--repo", lab.path, 2, "--why", "it breaks the API")
    assert ran.code == 0, ran.err
    assert (ran.json["status"], ran.json["retained_metric"], ran.json["taken_back"]) == ("drift", 9, 2)
    assert lab.repo.read("src/value") == "9\n" and not (lab.path / "src" / "extra").exists()
    assert run_script("watch", "--repo", lab.path, "--once", "--format", "json").json["best_iteration"] == 1
    (event,) = lab.events("taken_back")
    assert (event["of"], event["why"]) == (2, "it breaks the API")
    assert "it breaks the API" in lab.repo.read("autoresearch-lessons.md")
    refused(lab.run_script("runtime_ctl", "take-back", "--repo", lab.path, 2, "--why", "x"), "taken back already")
    assert lab.trial(7)["status"] == "keep"
    lab.sound()


def test_uncommitted_changes_are_in_the_way_of_a_take_back(lab: Lab, run_script: Callable[..., Ran]):
    lab.init()
    lab.trial(9)
    again = ("runtime_ctl", "take-back", "--repo", lab.path, 1, "--why", "x")
    lab.value(11)
    refused(run_script(*again), "uncommitted changes in the scope: src/value")
    assert lab.repo.read("src/value") == "11\n"
    lab.repo.git("restore", "src/value")
    assert run_script(*again).json["retained_metric"] == 10
    lab.sound()


def test_one_that_later_ones_do_not_touch_is_taken_back_alone(lab: Lab, run_script: Callable[..., Ran]):
    lab.repo.write("src/other", "1\n")
    lab.repo.commit("other")
    lab.init(verify="expr $(cat src/value) + $(cat src/other)")
    lab.trial(9)
    lab.repo.write("src/other", "0\n")
    assert lab.trial(None)["metric"] == 9
    ran = run_script("runtime_ctl", "take-back", "--repo", lab.path, 1, "--why", "x")
    assert (ran.json["retained_metric"], lab.repo.read("src/value"), lab.repo.read("src/other")) == (10, "10\n", "0\n")
    lab.sound()


def test_more_is_counted_from_what_was_tried(lab: Lab, run_script: Callable[..., Ran]):
    """A row that only measures again takes none of the experiments that were agreed."""
    lab.init("--iterations", 2)
    lab.trial(9)
    assert lab.trial(8)["next"]["action"] == "stop"
    assert run_script("runtime_ctl", "take-back", "--repo", lab.path, 2, "--why", "x").code == 0
    assert run_script("init_run", "--repo", lab.path, "--extend", "--iterations", 2).json["left"] == {"iterations": 2}
    assert lab.trial(7)["next"]["action"] == "continue"
    assert lab.trial(6)["next"]["action"] == "stop"
    refused(lab.call("init_run", "--extend", "--max-cost", 5, "--iterations", 1), "has no price to count with")
    refused(
        lab.call("init_run", "--extend", "--verify", "true", "--iterations", 1), "--extend does not change --verify"
    )
    refused(lab.call("init_run", "--extend", "--price", "cheap", "--iterations", 1), "expected INPUT,CACHED,OUTPUT")
    priced = ("--price", "1,0.1,5", "--max-cost", 5, "--iterations", 1)
    assert lab.call("init_run", "--extend", *priced).json["left"] == {"iterations": 1, "money": 5}
    lab.sound()


def test_what_later_ones_build_on_is_not_taken_back_alone(lab: Lab):
    lab.init()
    lab.trial(9)
    lab.trial(8)
    refused(lab.run_script("runtime_ctl", "take-back", "--repo", lab.path, 1, "--why", "x"), "later ones build on it")
    assert lab.repo.read("src/value") == "8\n" and lab.repo.status() == ""
    lab.sound()


def test_rounds_of_all_of_them(background: Scripted):
    """Words, pauses, more and take-backs in mid-trial, in random order: the log folds, and each event is in it."""
    dice, rounds = random.Random(7), 6
    background.plan(*([f"echo {100 - n} > value", "sleep 0.2", QUEUED] for n in range(91, 100)), *[["true"]])
    background.launch("--iterations", 1, "--max-stagnation", 50)
    told = agreed = 0
    for number in range(rounds):
        if dice.random() < 0.7 and background.ctl("tell", f"word {number}").code == 0:
            told += 1
        if dice.random() < 0.5:
            background.ctl("pause")
        ended = background.ended()
        assert ended["status"] in ("stopped", "terminal"), ended
        more = ("--iterations", "+1") if ended["status"] == "terminal" else ()
        ran = background.ctl("start", *more)
        assert ran.code == 0, ran.err
        agreed += bool(more)
    background.ended()
    log = journal.read(background.repo.path / "research-results.tsv")
    assert [row.iteration for row in log.rows] == list(range(log.state.iteration + 1))
    assert (len(events(background, "tell")), len(events(background, "agreed"))) == (told, agreed)
    assert background.repo.status() == ""


def test_the_wall_clock_is_said_and_changed(lab: Lab, run_script: Callable[..., Ran]):
    refused(lab.call("init_run", "--scope", "src/", "--verify", "cat src/value", "--until", "noon"), "such as 07:30")
    refused(lab.call("init_run", "--scope", "src/", "--verify", "cat src/value", "--until", "2001-01-01T07:30"), "over")
    lab.init("--until", "07:30")
    left = lab.trial(9)["next"]["left"]
    assert 0 <= left["minutes_until"] <= 24 * 60
    soon = (datetime.now(timezone.utc) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert run_script("init_run", "--repo", lab.path, "--extend", "--until", soon).code == 0
    assert until(lambda: "it is past" in lab.try_out(description="x").err)
    assert run_script("init_run", "--repo", lab.path, "--extend", "--until", "none").json["left"] == {}
    assert lab.trial(8)["status"] == "keep"
    lab.sound()


def test_a_wrong_description_is_amended_and_the_row_stays(lab: Lab, run_script: Callable[..., Ran]):
    lab.init("--iterations", 5)
    lab.trial(9, description="the wrong words")
    refused(lab.call("record_iteration", "--amend", 7, "--description", "x"), "no iteration 7")
    refused(lab.call("record_iteration", "--amend", 1), "--description is missing")
    refused(lab.call("record_iteration", "--amend", 1, "--description", "x", "--metric", 3), "words alone")
    before = lab.repo.read("research-results.tsv")
    ran = lab.call("record_iteration", "--amend", 1, "--description", "the right words")
    assert (ran.json["iteration"], ran.json["description"]) == (1, "the right words")
    assert lab.repo.read("research-results.tsv").startswith(before) and "the wrong words" in before
    assert run_script("runtime_ctl", "tell", "--repo", lab.path, "leave <b> alone").code == 0
    screen = run_script("runtime_ctl", "status", "--repo", lab.path, "--format", "text").out
    run_script("report", "--repo", lab.path)
    page, text = (lab.repo.read(f"autoresearch-evidence/report.{kind}") for kind in ("html", "md"))
    for shown in (screen, page, text):
        assert "the right words" in shown
    assert "amended <q>1: the right words</q>" in page and "told <q>leave &lt;b&gt; alone</q>" in page
    assert "told leave &lt;b\\> alone" in text
    assert lab.trial(8)["next"]["last"][1].endswith("the right words")
    lab.sound()


def test_a_pivot_brings_the_next_model_one_way(background: Scripted):
    pivot = (
        TRIAL.partition(" --")[0].replace("run_trial", "record_iteration") + " --repo . --status pivot --description p"
    )
    background.plan([pivot, {"silent": 60}], [pivot], step(9), step(1))
    assert "such as 'gpt-x:high" in background.launch("--escalate", "gpt x").err
    background.launch("--stop-condition", "<= 1", "--escalate", "gpt-x:high, gpt-y", "--max-stagnation", 9)
    background.ended()
    assert [(e["iteration"], e["model"], e["effort"]) for e in events(background, "escalated")] == [
        (1, "gpt-x", "high"),
        (2, "gpt-y", ""),
    ]
    folder = background.repo.path.parent
    used = [json.loads(path.read_text()) for path in sorted(folder.rglob("argv-*.json"))]
    flags = [[word for word in words if word.startswith(("--model", "--effort", "gpt", "high"))] for words in used]
    assert flags == [[], ["--model", "gpt-x", "--effort", "high"], ["--model", "gpt-y"], ["--model", "gpt-y"]]
