"""Limits by comparison: a run that takes long is held against an edit only where the retained code is quick now."""

from __future__ import annotations

from pathlib import Path

import pytest
from autoresearch.kernel.core import timelimit
from autoresearch.kernel.core.errors import Postponed
from autoresearch.kernel.core.settings import Config
from autoresearch.kernel.core.timelimit import TimeLimit
from autoresearch.kernel.run import measure
from autoresearch.kernel.run.measure import Arms, Bench
from autoresearch.noise import paired

from tests.lab import Lab, refused


def test_limits_are_generous_and_the_users_own_is_his():
    assert timelimit.limit(None, 0.5) == TimeLimit(300, 10.5)
    assert timelimit.limit(None, 60, 90) == TimeLimit(900, 120)
    assert timelimit.limit(7, 60) == TimeLimit(7)
    assert timelimit.limit(None, None) == TimeLimit(1800)
    assert timelimit.limit(None, 60, 90).told() == {"ended_after_s": 900, "checked_for_slowness_after_s": 120}


def test_only_what_is_slower_in_every_round_is_slow():
    assert timelimit.slower([130, 125], [60, 61])
    assert not timelimit.slower([130, 119], [60, 50])  # the neighbour was there once
    assert not timelimit.slower([130, 140], [60, 71])  # and here it slowed the retained code
    assert not timelimit.slower([9], [1])
    assert paired.slower_mostly([130, 119, 150], [60, 50, 61])
    # Two seconds of work take sixteen where thirteen processes want each core, and a copied file still takes one.
    assert timelimit.slower([15.7], [0.6]) and not timelimit.slower([15.7], [0.6], crowd=13.0)
    assert timelimit.slower([150], [0.6], crowd=13.0)


def test_the_load_beside_the_runs_says_how_many_wanted_a_core():
    loads: list[dict[str, float | None]] = [
        {},
        {"load": 26.0, "cores": 2},
        {"load": None, "cores": 2},
        {"load": 1.0, "cores": 4},
    ]
    assert measure.crowd([measure.Sample(None, "", 1.0, 0, load=load) for load in loads]) == 13
    assert measure.crowd([measure.Sample(None, "", 1.0, 0)]) == 1


class Desk:
    """A folder whose check takes a moment that its content says; each state has a list of moments."""

    def __init__(self, folder: Path, limit: TimeLimit, **moments: list[object]) -> None:
        self.folder, self.moments, self.shown = folder, moments, "candidate"
        config = Config(verify="cat shown >> ../runs; sleep $(cat moment) && echo 3")
        (folder / "work").mkdir()
        self.bench = Bench(folder / "work", folder / "evidence", config, limit, f"desk-{folder.name}")
        self.arms = Arms(lambda: self.show("candidate"), lambda: self.show("retained"))

    def show(self, state: str) -> None:
        """Put a state into the folder, with its next moment."""
        left = self.moments[state]
        (self.folder / "work/shown").write_text(state[0])
        (self.folder / "work/moment").write_text(str(left.pop(0) if len(left) > 1 else left[0]))

    def exact(self) -> measure.Measurement:
        """Measure the candidate."""
        self.show("candidate")
        return measure.exact(self.bench, self.arms)

    def runs(self) -> str:
        """Which state was run, in order."""
        return (self.folder / "runs").read_text()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timelimit, "SLACK", 0.0)


def test_a_run_that_is_no_slower_than_the_retained_code_now_counts(tmp_path: Path, quick: None):
    desk = Desk(tmp_path, TimeLimit(60, 0.3), candidate=[1.0], retained=[1.0])
    assert desk.exact().value == 3
    assert desk.runs() == "cr"


def test_a_neighbour_that_hits_one_run_costs_nothing(tmp_path: Path, quick: None):
    desk = Desk(tmp_path, TimeLimit(60, 0.5), candidate=[2.0, 0.0], retained=[0.0])
    found = desk.exact()
    assert found.value == 3 and len(found.samples) == 2


def test_what_is_slower_each_time_is_a_crash(tmp_path: Path, quick: None):
    desk = Desk(tmp_path, TimeLimit(60, 0.5), candidate=[2.5], retained=[0.0])
    found = desk.exact()
    assert found.value is None and "the retained code 0." in found.problem
    assert desk.runs() == "crcrcr"


def test_a_run_that_fails_is_no_quick_one(tmp_path: Path, quick: None):
    desk = Desk(tmp_path, TimeLimit(60, 0.5), candidate=[2.0, "x"], retained=[0.0])
    found = desk.exact()
    assert found.value is None and found.problem.startswith("exit code 1")


def test_retained_code_that_fails_makes_no_candidate_slow(tmp_path: Path, quick: None):
    desk = Desk(tmp_path, TimeLimit(60, 0.5), candidate=[1.0], retained=["x"])
    assert desk.exact().value == 3


def test_where_the_retained_code_hangs_too_the_trial_is_postponed(tmp_path: Path, quick: None):
    desk = Desk(tmp_path, TimeLimit(0.4), candidate=[30], retained=[30])
    with pytest.raises(Postponed, match="did not end within"):
        desk.exact()


def test_a_postponed_trial_leaves_the_edit_and_no_row(lab: Lab):
    lab.repo.write("check.sh", "test ! -e ../busy || sleep 30; cat src/value\n")
    lab.repo.commit("check")
    lab.init("--verify-timeout", 2, verify="sh check.sh")
    (lab.path.parent / "busy").touch()
    lab.value(8)
    refused(lab.try_out(), "postponed: the retained code did not end", "the edit stays")
    assert (len(lab.rows()), lab.repo.read("src/value"), lab.repo.status()) == (1, "8\n", " M src/value")
    lab.sound()
    (lab.path.parent / "busy").unlink()
    assert lab.trial()["status"] == "keep"


def test_a_check_that_printed_its_number_and_hung_says_so(lab: Lab):
    lab.repo.write("check.sh", "cat src/value; test ! -e src/hangs || sleep 30\n")
    lab.repo.commit("check")
    answer = lab.init("--verify-timeout", 2, verify="sh check.sh")
    assert answer["limits"] == {"ended_after_s": 2}
    lab.repo.write("src/hangs", "")
    answer = lab.trial(8)
    assert answer["status"] == "crash"
    assert "took longer than 2 s and was ended" in answer["decision"]
    assert "it had printed its number (8) and then hung" in answer["decision"]
    assert answer["limits"] == {"ended_after_s": 2}
