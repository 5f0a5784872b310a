"""Promises that only a fault in between shows: each was once broken by hand without a test that noticed."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from autoresearch.kernel.core import timelimit
from autoresearch.kernel.core.errors import Refusal
from autoresearch.kernel.core.frozen import replace
from autoresearch.kernel.core.rows import Row
from autoresearch.kernel.disk import atomic, evidence, journal
from autoresearch.kernel.disk.layout import standard
from autoresearch.kernel.run import context, evaluator_lock, intent, judge, measure, trial, trial_gate
from autoresearch.kernel.run.intent import Attempt
from autoresearch.kernel.run.measure import Measurement
from autoresearch.kernel.system.git import GitError, Repo
from autoresearch.setup import opening

from tests.conftest import HANG, SCRIPTS
from tests.lab import Lab, refused


class Killed(BaseException):
    """Stands for a kill at this place."""


def test_a_trial_that_was_killed_after_its_row_is_not_recorded_twice(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    lab.init()
    lab.value(8)

    def killed(root: Path) -> None:
        if evidence.intent_path(root).exists():
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(evidence, "clear_intent", killed)
        with pytest.raises(Killed):
            trial.run_trial(standard(lab.path), Attempt("eight"))
    assert intent.read(standard(lab.path).evidence) is not None
    answer = lab.trial(description="nothing more")
    assert answer["recovered"].startswith("finished iteration 1")
    assert [row.status for row in lab.rows()] == ["baseline", "keep", "no-op"]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    """What is written, synced and renamed, in order, by inode."""
    done: list[tuple[str, object]] = []
    pwrite, fsync, replace = os.pwrite, os.fsync, os.replace

    def wrote(handle: int, data: object, offset: int) -> int:
        done.append(("write", os.fstat(handle).st_ino))
        return pwrite(handle, data, offset)  # type: ignore[arg-type]

    def synced(handle: int) -> None:
        done.append(("sync", os.fstat(handle).st_ino))
        fsync(handle)

    def renamed(source: Path, target: Path) -> None:
        done.append(("rename", source.stat().st_ino))
        replace(source, target)

    monkeypatch.setattr(os, "pwrite", wrote)
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    return done


def test_a_row_is_on_the_disk_before_it_counts(tmp_path: Path, calls: list[tuple[str, object]]):
    first = Row(0, "", "abc1234", Decimal(10), "0", "-", "baseline", (), "")
    opening.create(tmp_path / "log.tsv", {"metric_direction": "lower"}, [], first)
    calls.clear()
    with journal.locked(tmp_path / "log.tsv") as held:
        held.append([], [first._replace(iteration=1, status="pivot", metric=None)])
    log = (tmp_path / "log.tsv").stat().st_ino
    assert calls == [("write", log), ("sync", log)]


def test_nothing_of_a_longer_write_that_was_torn_stays_behind_the_next(tmp_path: Path):
    path, first = tmp_path / "log.tsv", Row(0, "", "abc1234", Decimal(10), "0", "-", "baseline", (), "")
    whole = opening.create(path, {"metric_direction": "lower"}, [], first)
    lost = [f"1{name}\t-\t10\t0\t-\tdiscard\ta worker's row" for name in "abcdefgh"]
    with open(path, "a") as log:
        log.write('# event: {"kind": "batch"}\n' + "".join(f"{line}\n" for line in lost))  # its main row is missing
    row = first._replace(iteration=1, status="pivot", metric=None)
    with journal.locked(path) as held:
        held.append([], [row])
    assert journal.read(path).rows == (*whole.rows, row)
    assert path.read_text().endswith("\tpivot\t\n")


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, calls: list[tuple[str, object]]):
    atomic.replace(tmp_path / "file", "text")
    file, folder = (tmp_path / "file").stat().st_ino, tmp_path.stat().st_ino
    assert calls == [("sync", file), ("rename", file), ("sync", folder)]


def test_before_a_baseline_half_an_hour_is_the_limit():
    assert timelimit.limit(None, None) == timelimit.TimeLimit(1800.0)


def test_a_full_disk_refuses_a_trial(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    lab.init()
    run = context.load(standard(lab.path))
    monkeypatch.setattr(atomic, "free_mb", lambda path: 500)
    trial_gate.refuse_finished(run)
    monkeypatch.setattr(atomic, "free_mb", lambda path: 499)
    with pytest.raises(Refusal, match="only 499 MB of disk are free, expected at least 500"):
        trial_gate.refuse_finished(run)


def test_more_than_five_times_the_best_gain_is_measured_again(lab: Lab):
    lab.init()
    lab.trial(9)
    run = context.load(standard(lab.path))

    def unlikely(value: str) -> bool:
        return judge.is_unlikely(run, Measurement(Decimal(value), "", ()))

    assert [unlikely(value) for value in ("8", "6.5", "4", "3.9")] == [False, False, False, True]


def test_an_evaluator_file_that_comes_while_it_is_measured_keeps_nothing(lab: Lab):
    lab.repo.write("checks/known", "x\n")
    lab.repo.commit("checks")
    lab.init("--protect", "checks/**", verify="grep -q 8 src/value && touch checks/new; cat src/value")
    answer = lab.trial(8)
    assert (answer["status"], "the evaluator changed during the run: checks/new" in answer["decision"]) == (
        "crash",
        True,
    )


def test_a_required_number_that_is_not_printed_discards(lab: Lab):
    lab.repo.write("src/out", "METRIC cost=10\nMETRIC rss=4\n")
    lab.repo.commit("out")
    lab.init("--require", "rss <= 5", verify="cat src/out")
    lab.repo.write("src/out", "METRIC cost=8\n")
    answer = lab.trial()
    assert answer["status"] == "discard" and "rss was not printed" in answer["decision"]


def test_a_commit_of_the_users_after_a_kill_is_not_taken_for_the_trial(lab: Lab):
    lab.init()
    lab.value(8)
    layout = standard(lab.path)
    places = {str(lab.path): intent.place_of(lab.path)}
    intent.Intent(1, "cut-the-cost", "gone", places, root=str(lab.path)).write(layout.evidence)
    mine = lab.repo.commit("mine")
    refused(lab.try_out(), "somebody committed in mid-run")
    assert lab.repo.git("rev-parse", "HEAD") == mine


def test_an_edit_of_what_a_killed_attempt_of_the_tools_own_left_is_the_next_trial(lab: Lab):
    lab.init()
    base = lab.repo.git("rev-parse", "HEAD")
    lab.value(8)
    lab.repo.git("add", "src/value")
    own = lab.repo.git("commit-tree", lab.repo.git("write-tree"), "-p", base, "-m", "own")
    place = intent.TrialRepo(str(lab.path), base, own)
    note = intent.Intent(1, "cut-the-cost", "gone", {str(lab.path): place}, own=True, root=str(lab.path))
    note.write(standard(lab.path).evidence)
    answer = lab.trial(7)
    assert (answer["status"], answer["metric"], lab.repo.read("src/value")) == ("keep", 7, "7\n")


def test_head_is_moved_only_from_where_it_is_expected(lab: Lab):
    base = lab.repo.git("rev-parse", "HEAD")
    mine = lab.repo.commit("mine")
    with pytest.raises(GitError):
        Repo(lab.path).move_head(base, base, "undo")
    assert lab.repo.git("rev-parse", "HEAD") == mine


def test_a_drift_measures_no_edit(lab: Lab):
    lab.init()
    lab.value(7)
    refused(lab.record("drift"), "uncommitted edits in src/value")


def asked(text: str) -> list[str]:
    """The lines that a program prints which handles signals as our commands do."""
    start = "import os, signal\nfrom autoresearch.kernel.system import interrupts\ninterrupts.install()\n"
    start += "def strike(): os.kill(os.getpid(), signal.SIGTERM)\n"
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    command = [sys.executable, "-c", start + text]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=HANG, check=False)
    return done.stdout.split("\n")[:-1]


def test_a_signal_is_obeyed_behind_the_shield():
    program = """
with interrupts.shielded():
    strike()
    interrupts.check()
    print("done whole")
try:
    interrupts.check()
    print("lost")
except KeyboardInterrupt:
    print("obeyed")
"""
    assert asked(program) == ["done whole", "obeyed"]


def test_who_insists_is_obeyed():
    program = """
interrupts.INSIST = -1.0
strike()
try:
    interrupts.check()
except KeyboardInterrupt:
    print("obeyed")
try:
    strike()
    print("lost")
except KeyboardInterrupt:
    print("broken off")
"""
    assert asked(program) == ["obeyed", "broken off"]


def test_the_evaluator_is_compared_after_each_run_of_a_comparison(lab: Lab):
    lab.repo.write("check.sh", "cat src/value\n")
    lab.repo.commit("an evaluator")
    lab.init(verify="sh check.sh", guard="")
    run = context.load(standard(lab.path))
    lock = evaluator_lock.known(run.log)
    assert "check.sh" in lock
    rewriting = replace(run.config, verify="echo '#' >> check.sh; sh check.sh")
    bench = measure.Bench(lab.path, lab.evidence("0001"), rewriting, timelimit.TimeLimit(HANG), "mark", lock)
    found = measure.verify(bench, "verify-1")
    assert (found.value, found.problem) == (None, "the evaluator changed during the run: check.sh")
