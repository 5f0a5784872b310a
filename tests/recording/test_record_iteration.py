"""`record_iteration`: every status in reported and measured runs, every refusal."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import SCRIPTS
from tests.lab import Lab, refused, tree_of

TRIAL = ("--commit", "abc1234", "--guard", "pass")


@pytest.fixture
def reported(lab: Lab) -> Lab:
    """Return a reported run at 10, lower is better."""
    lab.report()
    return lab


def folded(lab: Lab, *names: str) -> tuple[Any, ...]:
    """Values of the snapshot's state, which must be the fold of the log."""
    lab.sound()
    return tuple(lab.state()["state"][name] for name in names)


@pytest.mark.parametrize(
    ("status", "flags", "counter", "retained"),
    [
        ("keep", ("--metric", 8, *TRIAL), "keeps", 8),
        ("discard", ("--metric", 12, *TRIAL), "discards", 10),
        ("crash", ("--commit", "abc1234"), "crashes", 10),
        ("no-op", (), "no_ops", 10),
        ("blocked", ("--description", "the database is gone"), "blocked", 10),
        ("drift", ("--metric", 11), "", 11),
        ("refine", ("--description", "smaller"), "consecutive_discards", 10),
        ("refine", ("--metric", 11, *TRIAL), "consecutive_discards", 10),
        ("pivot", ("--description", "instead"), "pivot_count", 10),
        ("search", ("--description", "how others do"), "", 10),
    ],
)
def test_each_status_is_folded(reported: Lab, status: str, flags: tuple[object, ...], counter: str, retained: int):
    answer = reported.recorded(status, *flags)
    assert (answer["iteration"], answer["status"], answer["retained_metric"]) == (1, status, retained)
    assert set(answer) >= {"retained_labels", "trial_metric", "trial_labels", "trial_repo_commits"}
    assert folded(reported, "iteration", "last_status", "current_metric") == (1, status, retained)
    names = ("keeps", "discards", "crashes", "no_ops", "blocked", "pivot_count")
    assert dict(zip(names, folded(reported, *names))) == {name: int(name == counter) for name in names}
    failed = status in ("discard", "crash", "no-op", "refine")
    assert folded(reported, "consecutive_discards") == (int(failed),)


def test_a_keep_carries_labels_and_commits(reported: Lab, make_repo: Any):
    api = make_repo("api")
    more = ("--label", "Production,b", "--label", "b", "--repo-commit", "../api=def5678")
    answer = reported.recorded("keep", "--metric", "8.50", "--description", "narrow types", *TRIAL, *more)
    assert answer["retained_labels"] == answer["trial_labels"] == ["production", "b"]
    both = {str(reported.path): "abc1234", str(api.path): "def5678"}
    assert answer["trial_repo_commits"] == both
    (row,) = [line for line in reported.repo.read("research-results.tsv").split("\n") if line.startswith("1\t")]
    assert row == "1\tabc1234\t8.5\t-1.5\tpass\tkeep\t[labels: production, b] narrow types"
    assert folded(reported, "last_repo_commits") == (both,)


def test_a_keep_and_a_pivot_leave_a_lesson(reported: Lab):
    reported.recorded("keep", "--metric", 8, *TRIAL, "--description", "narrow types")
    reported.recorded("discard", "--metric", 9, *TRIAL)
    reported.recorded("pivot", "--description", "abandoned types")
    text = reported.repo.read("autoresearch-lessons.md")
    assert text.count("### L-") == 2
    assert "cost 10 to 8 (-2, -20.0%)" in text


def test_a_missing_keep_label_makes_a_discard(lab: Lab):
    lab.report("--required-keep-label", "real", "--required-keep-label", "safe")
    answer = lab.recorded("keep", "--metric", 8, *TRIAL, "--label", "safe", "--description", "faster")
    assert (answer["status"], answer["retained_metric"]) == ("discard", 10)
    assert lab.rows()[-1].description == "faster (missing required label: real)"
    assert lab.recorded("keep", "--metric", 8, *TRIAL, "--label", "real,safe")["status"] == "keep"


REFUSALS = {
    "keep without metric": (("keep", *TRIAL), "keep needs a metric"),
    "keep that is equal": (("keep", "--metric", "10.0", *TRIAL), "does not improve on the retained metric 10"),
    "keep that is worse": (("keep", "--metric", 11, *TRIAL), "does not improve"),
    "keep without commit": (("keep", "--metric", 8), "needs the trial's commit"),
    "keep with a failed guard": (("keep", "--metric", 8, "--commit", "abc1234", "--guard", "fail"), "failed guard"),
    "discard without commit": (("discard", "--metric", 12), "needs the trial's commit"),
    "discard without metric": (("discard", *TRIAL), "discard needs a metric"),
    "crash without commit": (("crash",), "needs the trial's commit"),
    "refine with metric alone": (("refine", "--metric", 12), "was a trial, expected --commit"),
    "refine with guard alone": (("refine", "--guard", "pass"), "was a trial, expected --commit"),
    "drift without metric": (("drift",), "drift needs a metric"),
    "commit of two words": (("crash", "--commit", "a b"), "commit is 'a b'"),
    "commit with a tab": (("crash", "--commit", "a\tb"), "expected a hash"),
    "label with a space": (("no-op", "--label", "a b"), "label 'a b' is not usable"),
    "commit of a repo without path": (("no-op", "--repo-commit", "abc"), "expected PATH=COMMIT"),
    **{
        f"metric {text}": (("discard", f"--metric={text}", *TRIAL), "expected one finite decimal")
        for text in ("NaN", "inf", "-Infinity", "1_000", "0x10", "", "ten", "1e", "-", "1 2", "٣")
    },
    "metric too long": (("discard", "--metric", "1" * 61, *TRIAL), "too many digits"),
    "metric too large": (("discard", "--metric", "1e999", *TRIAL), "too many digits"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_a_row_is_refused(reported: Lab, case: str):
    flags, why = REFUSALS[case]
    before = tree_of(reported.path)
    refused(reported.record(*map(str, flags)), why)
    assert tree_of(reported.path) == before


@pytest.mark.parametrize("flags", [(), ("--status", "baseline"), ("--status", "kept"), ("--stat", "keep"), ("extra",)])
def test_bad_usage_is_exit_code_two(reported: Lab, flags: tuple[str, ...]):
    refused(reported.call("record_iteration", *flags), code=2)


def test_without_a_run_nothing_is_made(lab: Lab):
    before = tree_of(lab.path)
    refused(lab.record("no-op"), "there is no run here (research-results.tsv is missing)", "autoresearch_init_run.py")
    assert tree_of(lab.path) == before


@pytest.mark.parametrize(
    ("metric", "cell"),
    [("-5e-3", "-0.005"), ("1e2", "100"), (".5", "0.5"), ("+8", "8"), ("-0.0", "0"), ("1.10", "1.1")],
)
def test_numbers_are_kept_exactly(reported: Lab, metric: str, cell: str):
    reported.recorded("drift", f"--metric={metric}")
    assert reported.repo.read("research-results.tsv").rstrip("\n").split("\n")[-1].split("\t")[2] == cell
    reported.sound()


NASTY = {
    "tab": "a\tb",
    "line breaks": "a\nb\r\nc\rd",
    "separators": "a\u2028b\u2029c\x85d\x0be\x0cf",
    "escapes": "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b1m",
    "shell": "$(touch x) `touch x` ; touch x",
    "event": "# event: {}",
    "labels": "[labels: fake] text",
    "bytes": "\udcff\udc80",
    "long": "x" * 100_000,
    "direction": "\u202eevil\ufeff",
}


@pytest.mark.parametrize("case", NASTY)
def test_descriptions_are_data(reported: Lab, case: str):
    reported.recorded("no-op", "--description", NASTY[case])
    reported.recorded("no-op", "--description", "after")
    rows = reported.rows()
    assert [row.status for row in rows] == ["baseline", "no-op", "no-op"]
    assert len(rows[1].description) <= 1000
    assert all(char.isprintable() for char in rows[1].description)
    assert not (reported.path / "x").exists()
    reported.sound()


def test_thirty_two_recorders_at_once_leave_thirty_two_rows(reported: Lab):
    assert at_once(reported, 32, "discard", "--metric", "12", "--commit", "abc1234") == [0] * 32
    reported.sound()
    assert reported.state()["state"]["discards"] == 32


def at_once(lab: Lab, count: int, *flags: str) -> list[int]:
    """Start as many recorders at the same time; their exit codes."""
    command = [sys.executable, str(SCRIPTS / "autoresearch_record_iteration.py"), "--repo", str(lab.path), "--status"]
    null = subprocess.DEVNULL
    started = [subprocess.Popen([*command, *flags], stdin=null, stdout=null, stderr=null) for _ in range(count)]
    return [child.wait() for child in started]


def test_the_log_alone_is_enough(reported: Lab):
    reported.recorded("keep", "--metric", 8, *TRIAL)
    (reported.path / "autoresearch-state.json").unlink()
    assert reported.recorded("discard", "--metric", 9, *TRIAL)["retained_metric"] == 8
    assert folded(reported, "keeps", "discards") == (1, 1)


def test_an_old_snapshot_is_rolled_forward_and_keeps_foreign_keys(reported: Lab):
    path = reported.path / "autoresearch-state.json"
    old = path.read_text().replace('"version": 1,', '"version": 1,\n  "theirs": {"a": [1.5]},')
    reported.recorded("keep", "--metric", 8, *TRIAL)
    path.write_text(old)
    reported.recorded("discard", "--metric", 9, *TRIAL)
    reported.sound()
    assert '"theirs": {\n    "a": [\n      1.5\n    ]\n  }' in path.read_text()


def test_an_edited_snapshot_is_refused(reported: Lab):
    path = reported.path / "autoresearch-state.json"
    path.write_text(path.read_text().replace('"current_metric": 10', '"current_metric": 3'))
    before = tree_of(reported.path)
    refused(reported.record("no-op"), "equals no prefix", "autoresearch_resume_check.py --write-repaired-state")
    assert tree_of(reported.path) == before


def test_a_damaged_log_is_refused(reported: Lab):
    path = reported.path / "research-results.tsv"
    path.write_text(path.read_text() + "rubbish\n")
    before = tree_of(reported.path)
    refused(reported.record("no-op"), "cannot be read", "1 cells instead of 7")
    assert tree_of(reported.path) == before


def test_exec_mode_keeps_its_snapshot_outside(lab: Lab):
    lab.report("--mode", "exec", "--iterations", 5)
    lab.recorded("keep", "--metric", 8, *TRIAL)
    assert lab.recorded("discard", "--metric", 9, *TRIAL)["iteration"] == 2
    assert not (lab.path / "autoresearch-state.json").exists()
    assert not (lab.path / "autoresearch-lessons.md").exists()


def test_paths_may_be_given(lab: Lab):
    (lab.path / "logs").mkdir()
    paths = ("--results-path", "logs/r.tsv", "--state-path", "logs/s.json")
    lab.report(*paths)
    assert lab.recorded("no-op", *paths)["iteration"] == 1
    assert sorted(path.name for path in (lab.path / "logs").iterdir()) == ["r.tsv", "s.json"]
    assert lab.repo.status() == ""


# Measured runs


@pytest.mark.parametrize("status", ["keep", "discard", "crash", "no-op"])
def test_a_measured_run_takes_no_typed_result(lab: Lab, status: str):
    lab.init()
    before = tree_of(lab.path)
    line = refused(lab.record(status, "--metric", 8, *TRIAL), "this run is measured")
    assert f"typed {status} is not accepted" in line and "autoresearch_run_trial.py" in line
    assert tree_of(lab.path) == before


@pytest.mark.parametrize("status", ["refine", "pivot", "blocked"])
def test_a_measured_run_takes_decisions(lab: Lab, status: str):
    lab.init()
    assert lab.recorded(status, "--description", "why")["retained_metric"] == 10
    refused(lab.record(status, "--metric", 8, "--commit", "abc1234"), "the tool measures")
    lab.sound()


def test_a_search_has_limits_in_a_measured_run(lab: Lab):
    lab.init()
    refused(lab.record("search"), "web search is disabled")
    lab.call("init_run", "--force", "--scope", "src/", "--verify", "cat src/value", "--web-search", "enabled")
    refused(lab.record("search"), "the first 3 iterations never search")
    for _ in range(3):
        lab.recorded("refine", "--description", "x")
    lab.recorded("search")
    refused(lab.record("search"), "less than 2 iterations ago")


def test_thirty_two_recorders_in_a_measured_run(lab: Lab):
    lab.init()
    assert at_once(lab, 32, "refine", "--description", "x") == [0] * 32
    lab.sound()


def test_a_drift_measures_the_retained_tree_again(lab: Lab):
    lab.init()
    lab.trial(8)
    lab.value("9.5")
    refused(lab.record("drift"), "uncommitted edits in src/value")
    refused(lab.record("drift", "--metric", 9), "the tool measures")
    head = lab.repo.commit("the user's own work")
    answer = lab.recorded("drift", "--description", "user commit")
    assert (answer["iteration"], answer["retained_metric"]) == (2, 9.5)
    row = lab.rows()[-1]
    assert (row.commit, row.delta, row.status) == (head[: len(row.commit)], "+1.5", "drift")
    assert folded(lab, "best_metric", "current_metric", "consecutive_discards") == (8, 9.5, 0)
    assert lab.evidence("0002/verify-1.out").read_text() == "9.5\n"
    assert lab.trial(9)["status"] == "keep"


def test_a_drift_of_a_broken_check_is_refused(lab: Lab):
    lab.init()
    lab.value("none")
    lab.repo.commit("broken by the user")
    before = lab.repo.read("research-results.tsv")
    refused(lab.record("drift"), "the check gives no number", "--status blocked")
    assert lab.repo.read("research-results.tsv") == before
    lab.sound()


def test_a_drift_takes_over_an_evaluator_that_the_user_changed(lab: Lab):
    lab.repo.write("check.sh", "cat src/value\n")
    lab.repo.commit("check")
    lab.init(verify="sh check.sh")
    lab.repo.write("check.sh", "echo $(( $(cat src/value) * 2 ))\n")
    lab.repo.commit("a better check")
    lab.value(9)
    refused(lab.try_out(), "somebody committed in mid-run")
    lab.repo.git("checkout", "src/value")
    assert lab.recorded("drift")["retained_metric"] == 20
    assert "evaluator changed: check.sh" in lab.rows()[-1].description
    assert lab.trial(9)["metric"] == 18
