"""Waiting for a calm moment: bounded, and only where it is of use."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from autoresearch.kernel.core.settings import Config
from autoresearch.kernel.run.measure import Sample
from autoresearch.machine import load
from autoresearch.machine.busy import Load
from autoresearch.noise import calm, paired


class Machine:
    """A machine that is contended in the given spans of seconds; sleeping passes the time."""

    def __init__(self, *spans: tuple[float, float]) -> None:
        self.now, self.spans = 0.0, spans

    def contended(self) -> bool:
        return any(first <= self.now < last for first, last in self.spans)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def patience(self) -> calm.Patience:
        return calm.Patience(self.contended, self.sleep, lambda: self.now)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setattr(load, "read", lambda: Load(2, 4.0))
    yield monkeypatch


def test_passing_work_is_let_pass_and_a_calm_machine_costs_nothing(told: pytest.MonkeyPatch):
    machine = Machine((5, 15), (30, 36))
    patience = machine.patience()
    patience.wait()
    assert machine.now == 0
    for begun, over in ((7, 15), (31, 36)):
        machine.now = begun
        patience.wait()
        assert machine.now == over
    assert patience.left == calm.ALL - 13
    assert patience.told() == "; 13 s were waited for a calmer machine"


def test_a_wait_in_vain_is_the_last_one(told: pytest.MonkeyPatch):
    machine = Machine((0, 1000))
    patience = machine.patience()
    assert patience.told() == ""
    patience.wait()
    assert machine.now == calm.ONCE and "20 s were waited" in patience.told()
    patience.wait()
    assert machine.now == calm.ONCE


def test_steady_work_is_not_waited_for_long(told: pytest.MonkeyPatch):
    told.setattr(load, "read", lambda: Load(2, 6.5))
    machine = Machine((0, 1000))
    machine.patience().wait()
    assert machine.now == calm.BRIEFLY


def test_all_waits_of_a_trial_together_are_bounded(told: pytest.MonkeyPatch):
    machine = Machine(*((start, start + 19) for start in range(0, 1000, 20)))
    patience, waited = machine.patience(), 0.0
    for start in range(0, 1000, 20):
        machine.now = start
        patience.wait()
        waited += machine.now - start
    assert calm.ALL <= waited <= calm.ALL + calm.STEP


def test_the_processor_is_asked_where_no_folder_stands_for_the_system(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("AUTORESEARCH_PROC_ROOT", raising=False)
    ticks = iter([0.0, 0.02])
    monkeypatch.setattr("autoresearch.machine.load.time.monotonic", lambda: next(ticks))
    assert load.contended() is False
    ticks = iter([0.0, 0.08])
    assert load.contended() is True


def test_a_baseline_that_other_work_disturbed_is_run_five_times():
    def sample(value: int, waited: float) -> Sample:
        return Sample(Decimal(value), "", 1.0, 0, load={"waited": waited})

    calm_runs = [sample(100, 0.0), sample(101, 0.1), sample(103, 0.0)]
    assert paired.wanted(Config(), calm_runs) == 3
    disturbed = [sample(300, 0.9), *calm_runs[1:]]
    assert paired.wanted(Config(), disturbed) == 5
    assert paired.wanted(Config(calibrate=3), disturbed) == 3
    assert paired.wanted(Config(), [sample(300, 0.9)] * 3) == 3
