"""Every outcome that an experiment can have, by the real command in a real repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import HANG
from tests.lab import Lab, refused, tree_of

ANSWER = (
    *("iteration", "status", "metric", "delta", "guard", "commit", "retained_metric", "best_metric"),
    *("best_iteration", "decision", "evidence_path", "next"),
)


def clean(lab: Lab) -> None:
    """Nothing is left uncommitted, and the tree is what HEAD says."""
    assert lab.repo.status() == ""


def test_a_gain_is_kept(lab: Lab):
    lab.init()
    answer = lab.trial(8, "--hypothesis", "less is less")
    assert tuple(answer)[: len(ANSWER)] == ANSWER
    assert (answer["status"], answer["metric"], answer["delta"], answer["guard"]) == ("keep", 8, "-2", "pass")
    assert (answer["retained_metric"], answer["best_metric"], answer["best_iteration"]) == (8, 8, 1)
    assert lab.repo.git("rev-parse", "--short", "HEAD") == answer["commit"]
    message = lab.repo.git("log", "-1", "--format=%B")
    assert message.startswith("experiment: set 8\n\nless is less\n\n")
    assert "Autoresearch-Run: cut-the-cost\nAutoresearch-Iteration: 1" in message
    assert lab.repo.read("src/value") == "8\n"
    clean(lab)


@pytest.mark.parametrize(("value", "why"), [(12, "worse"), ("10.0", "equal")])
def test_no_gain_is_discarded(lab: Lab, value: object, why: str):
    lab.init()
    answer = lab.trial(value)
    assert (answer["status"], answer["decision"], answer["guard"]) == ("discard", why, "-")
    assert answer["retained_metric"] == 10
    assert lab.repo.read("src/value") == "10\n"
    clean(lab)


def test_a_failed_guard_discards(lab: Lab):
    lab.init()
    lab.repo.write("src/broken", "")
    answer = lab.trial(8)
    assert (answer["status"], answer["guard"]) == ("discard", "fail")
    assert answer["decision"] == "guard failed: exit code 1"
    assert not (lab.path / "src/broken").exists()
    clean(lab)


NODE = "x.js:1\nthrow new Error('no')\n^\n\nError: no such export\n    at throwError (x.js:1:7)\n\nNode.js v20.20.2\n"
PYTEST = "FAILED test_a.py::test_b - assert 1 == 2\n========= 1 failed in 0.03s =========\n"


@pytest.mark.parametrize(
    ("out", "err", "said"),
    [
        ("", NODE, "Error: no such export"),
        (PYTEST, "", "FAILED test_a.py::test_b - assert 1 == 2"),
        (PYTEST, "one warning\nmake: *** [test] Error 1\n", "FAILED test_a.py::test_b - assert 1 == 2"),
        ("fine\n", "x = (\n    ^\n\n", "x = ("),
        ("", "make: *** [test] Error 1\n", "make: *** [test] Error 1"),
        ("", "Error " * 100, "Error " * 26 + "Err…"),
    ],
)
def test_a_failed_guard_says_why(lab: Lab, out: str, err: str, said: str):
    lab.repo.write("out", out)
    lab.repo.write("err", err)
    lab.repo.commit("output")
    lab.init(guard="test ! -e src/broken || { cat out; cat err >&2; exit 1; }")
    lab.repo.write("src/broken", "")
    assert lab.trial(8)["decision"] == f"guard failed: exit code 1: {said}"


CRASHES = {
    "exit code": ("echo no; exit 3", "exit code 3"),
    "signal": ("kill -KILL $$", "exit code 137"),
    "time limit": ("sleep 60", "took longer than 2 s"),
    "no number": ("echo fine", "no numbers in the output"),
    "nothing": (":", "no numbers in the output"),
    "two numbers": ("echo 3 4", "2 numbers in the output"),
    "NaN": ("echo NaN", "'NaN' is not a finite decimal"),
    "infinity": ("echo METRIC cost=inf", "not a finite decimal"),
    "huge output": ("yes 8", "printed more than 64 MiB"),
    "ignores SIGTERM": ("trap '' TERM; while :; do sleep 0.1; done", "took longer than 2 s"),
    "daemon": ("(setsid sleep 61 >/dev/null 2>&1 &) ; echo 8", "left processes behind: sleep 61"),
}


def scripted(lab: Lab, *flags: object, guard: str = "") -> None:
    """Set up a run whose check runs what `src/run` says: the subject of experiments, not the evaluator."""
    lab.repo.write("check.sh", ". ./src/run\n")
    lab.repo.write("src/run", "cat src/value\n")
    lab.repo.commit("run")
    lab.init(*flags, verify="sh check.sh", guard=guard)


@pytest.mark.parametrize("case", CRASHES)
def test_a_bad_check_is_a_named_crash(lab: Lab, case: str):
    script, why = CRASHES[case]
    scripted(lab, "--verify-timeout", 2 if "took longer" in why else HANG)
    lab.repo.write("src/run", script + "\n")
    answer = lab.trial(description=case)
    assert (answer["status"], answer["metric"], answer["delta"]) == ("crash", 10, "0")
    assert why in answer["decision"]
    assert lab.rows()[-1].description.startswith(f"{case} (crash: ")
    assert lab.repo.read("src/run") == "cat src/value\n"
    assert sum(path.stat().st_size for path in lab.evidence("0001").iterdir()) < 1_000_000
    clean(lab)


def test_nothing_changed_is_a_no_op(lab: Lab):
    lab.init()
    answer = lab.trial(description="thought about it")
    assert (answer["status"], answer["commit"], answer["metric"]) == ("no-op", "-", 10)
    assert answer["evidence_path"] == ""
    assert lab.state()["state"]["no_ops"] == 1


def test_an_edit_that_equals_head_again_is_a_no_op(lab: Lab):
    lab.init()
    lab.value(8)
    lab.value(10)
    os.utime(lab.path / "src/value", (1, 1))
    assert lab.trial()["status"] == "no-op"


def untouched(lab: Lab, *words: str, description: str = "an idea") -> str:
    """A trial is refused with these words; log, tree, index and HEAD stay as they were; return the line."""

    def look() -> object:
        index = lab.repo.git("ls-files", "--stage")
        return tree_of(lab.path, "autoresearch-evidence"), index, lab.repo.git("rev-parse", "HEAD"), lab.repo.status()

    before = look()
    line = refused(lab.try_out(description=description), *words)
    assert look() == before
    lab.sound()
    return line


def test_a_change_out_of_scope_is_refused(lab: Lab):
    lab.init()
    lab.value(8)
    lab.repo.write("notes.txt", "mine\n")
    lab.repo.write("new.txt", "mine\n")
    untouched(lab, "changes outside the scope (src/): notes.txt, new.txt")
    lab.repo.git("checkout", "--", "notes.txt")
    (lab.path / "new.txt").unlink()
    assert lab.trial(8)["status"] == "keep"
    assert lab.events("refused")[0]["paths"] == ["notes.txt", "new.txt"]


def test_a_rename_counts_on_both_ends(lab: Lab):
    lab.init()
    lab.repo.git("mv", "notes.txt", "src/notes.txt")
    untouched(lab, "changes outside the scope (src/): notes.txt")


@pytest.mark.parametrize("scope", ["src/", "."])
def test_the_evaluator_may_not_change(lab: Lab, scope: str):
    lab.scope = scope
    scripted(lab)
    lab.repo.write("check.sh", "echo 1\n")
    lab.value(8)
    untouched(lab, "the evaluator was changed: check.sh", "locked")


@pytest.mark.parametrize("scope", ["src/", "."])
def test_a_protected_file_may_not_change(lab: Lab, scope: str):
    lab.scope = scope
    lab.repo.write("src/truth/a.json", "1\n")
    lab.repo.commit("truth")
    answer = lab.init("--protect", "src/truth/**")
    assert answer["protected"] == ["src/truth/a.json"]
    lab.repo.write("src/truth/a.json", "2\n")
    untouched(lab, "the evaluator was changed: src/truth/a.json")


def test_a_check_that_is_changed_while_it_runs_keeps_nothing(lab: Lab):
    scripted(lab)
    lab.repo.write("src/run", "echo 'echo 1' > check.sh; echo 1\n")
    answer = lab.trial()
    assert (answer["status"], answer["retained_metric"]) == ("crash", 10)
    assert "the evaluator changed during the run: check.sh" in answer["decision"]
    assert lab.repo.read("check.sh") == ". ./src/run\n"
    clean(lab)
    assert lab.trial(9)["status"] == "keep"


def test_a_moved_head_is_refused(lab: Lab):
    lab.init()
    lab.value(8)
    lab.repo.commit("my own commit")
    line = untouched(lab, "somebody committed in mid-run", "git reset --soft", "--status drift")
    lab.repo.git("reset", "--soft", line.split("expected ")[1][:9])
    assert lab.trial()["status"] == "keep"


def test_a_repeated_patch_is_refused(lab: Lab):
    lab.init()
    assert lab.trial(12)["status"] == "discard"
    lab.value(12)
    untouched(lab, "this exact change was tried as iteration 1 (discard, metric 12)")
    assert not lab.evidence("0002").exists() or list(lab.evidence("0002").iterdir()) == []
    assert lab.trial(9)["status"] == "keep"
    assert lab.trial(12)["status"] == "discard", "on another base it is another experiment"


@pytest.mark.parametrize("mode", ["fix", "loop"])
def test_a_fix_that_mutes_is_refused(lab: Lab, mode: str):
    lab.init("--mode", mode)
    lab.value(8)
    lab.repo.write("src/note.py", "x = y  # type: ignore\n")
    if mode == "fix":
        untouched(lab, "src/note.py:1: # type: ignore", "nothing was run")
        lab.repo.write("src/note.py", "x = y\n")
    assert lab.trial()["status"] == "keep"


def test_a_crash_may_be_tried_again(lab: Lab):
    lab.init()
    assert lab.trial("none")["status"] == "crash"
    assert lab.trial("none")["status"] == "crash"


@pytest.mark.parametrize(
    ("flags", "reason"),
    [(("--iterations", 1), "iteration_cap_reached"), (("--stop-condition", "<= 9"), "goal_reached")],
)
def test_a_finished_run_refuses(lab: Lab, flags: tuple[object, ...], reason: str):
    lab.init(*flags)
    answer = lab.trial(9)
    assert answer["next"]["action"] == "stop"
    assert answer["next"]["reason"].startswith(reason)
    lab.value(8)
    untouched(lab, "the run is over", reason)


def test_a_reported_run_has_no_trials(lab: Lab):
    lab.report()
    lab.value(8)
    untouched(lab, "reported baseline", "autoresearch_record_iteration.py")


def test_without_a_run_nothing_is_made(lab: Lab):
    before = sorted(path.name for path in lab.path.iterdir())
    refused(lab.try_out(), "there is no run here", "autoresearch_init_run.py")
    assert sorted(path.name for path in lab.path.iterdir()) == before


def test_a_missing_label_discards_and_is_named(lab: Lab):
    lab.init("--required-keep-label", "production-path")
    answer = lab.trial(8)
    assert (answer["status"], answer["guard"]) == ("discard", "pass")
    assert lab.rows()[-1].description == "set 8 (missing required label: production-path)"
    assert lab.trial(7, "--label", "Production-Path")["status"] == "keep"
    assert lab.rows()[-1].labels == ("production-path",)


def test_an_unlikely_gain_is_measured_twice(lab: Lab):
    lab.init()
    answer = lab.trial("0.1")
    assert answer["status"] == "keep"
    assert lab.evidence("0001/verify-again.out").read_text() == "0.1\n"
    assert lab.events("trial")[-1]["unlikely"] is True


def test_a_gain_that_does_not_come_again_is_a_crash(lab: Lab):
    scripted(lab)
    lab.repo.write("src/run", "if test -e out; then cat src/value; else echo 0.5; touch out; fi\n")
    answer = lab.trial()
    assert (answer["status"], answer["retained_metric"]) == ("crash", 10)
    assert "not repeatable: 10 at the second run" in answer["decision"]


METRICS = "printf 'METRIC cost=%s\\nMETRIC rss=%s\\n' $(cat src/value)"


def test_another_metric_must_hold(lab: Lab):
    lab.value("10 100")
    lab.repo.commit("two numbers")
    lab.init("--require", "rss <= baseline*1.05", verify=METRICS)
    answer = lab.trial("8 106")
    assert (answer["status"], answer["decision"]) == ("discard", "required: rss is 106, required <= 105")
    assert lab.trial("8 104")["status"] == "keep"


def test_the_hidden_check_discards_and_shows_nothing(lab: Lab, sealed: Path):
    lab.init("--confirm", "echo secret; test ! -e src/overfit")
    lab.value(8)
    lab.repo.write("src/overfit", "")
    answer = lab.trial()
    assert (answer["status"], answer["decision"], answer["guard"]) == ("discard", "confirm failed", "pass")
    assert not any(b"secret" in path.read_bytes() for path in lab.evidence("0001").iterdir())
    assert list((sealed / "tmp").iterdir()) == []
    assert lab.trial(8)["status"] == "keep"


def test_a_small_gain_is_not_worth_keeping(lab: Lab):
    lab.init("--min-delta", "0.5")
    answer = lab.trial("9.6")
    assert (answer["status"], answer["decision"]) == ("discard", "gain below the wanted 0.5")
    assert lab.trial("9.5")["status"] == "keep"


@pytest.mark.parametrize(
    ("text", "labels", "status"),
    [
        ("a\n", ("--label", "simplify"), "keep"),
        ("a\n", (), "discard"),
        ("a\nc\n", ("--label", "simplify"), "discard"),
        ("a\n++i;\n", ("--label", "simplify"), "discard"),
    ],
)
def test_equal_and_shorter_is_kept_when_asked(lab: Lab, text: str, labels: tuple[str, ...], status: str):
    lab.repo.write("src/code", "a\n--b;\n")
    lab.repo.commit("code")
    lab.init()
    lab.repo.write("src/code", text)
    assert lab.trial(None, *labels)["status"] == status


def test_higher_is_better_when_asked(lab: Lab):
    lab.init("--direction", "higher")
    assert lab.trial(9)["status"] == "discard"
    assert lab.trial(12)["delta"] == "+2"


def test_exit_codes_say_nothing_when_asked(lab: Lab):
    scripted(lab, "--verify-exit", "any")
    lab.repo.write("src/run", "echo 8; exit 1\n")
    assert lab.trial()["status"] == "keep"


def test_stale_bytecode_is_not_measured(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PYTHONPYCACHEPREFIX")
    lab.repo.write(".gitignore", "__pycache__/\n")
    lab.repo.write("src/cost.py", "cost = 10\n")
    os.utime(lab.path / "src/cost.py", (2_000_000_000, 2_000_000_000))
    lab.repo.commit("python")
    lab.init(verify="cd src && python3 -c 'import cost; print(cost.cost)'")
    for value, status in ((99, "discard"), (98, "discard"), (11, "discard")):
        lab.repo.write("src/cost.py", f"cost = {value}\n")
        os.utime(lab.path / "src/cost.py", (2_000_000_000, 2_000_000_000))
        answer = lab.trial(description=f"set {value}")
        assert (answer["metric"], answer["status"]) == (value, status)
        os.utime(lab.path / "src/cost.py", (2_000_000_000, 2_000_000_000))
