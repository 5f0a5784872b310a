"""A share of the tries of `steps.py`: some steps of a trial, each in another way; the others are run by hand."""

from __future__ import annotations

from pathlib import Path

from tests.faults import steps
from tests.faults.stage import Stage


def test_a_fault_at_any_step_of_a_trial_is_mended(tmp_path: Path):
    tries = steps.Steps.__new__(steps.Steps)
    tries.stages = {"begun": Stage(tmp_path).begun(*steps.PLAIN).keep()}
    case = next(case for case in steps.CASES if case.name == "discard")
    found = tries.steps(case)
    assert len(found) > 50
    ways = ("torn", "ENOSPC", "full", "gitdies", "gitfails", "before")
    for number, how in enumerate(ways):
        fitting = [at for at, step in enumerate(found, 1) if how in steps.ways(step)]
        assert tries.strike(case, fitting[(2 * number + 1) * len(fitting) // 13], how) in (0, 1, -9)


def test_a_fault_at_any_step_of_a_trial_that_waits_is_mended(tmp_path: Path):
    """Left by the session, run by the hook, run by the controller: some steps of each, in each way once."""
    tries = steps.Steps.__new__(steps.Steps)
    tries.stages = {"begun": Stage(tmp_path).begun(*steps.PLAIN).keep()}
    ways = {"queue": ("before", "ENOSPC"), "hook": ("after", "EIO", "gitdies"), "controller": ("before", "after")}
    for name, chosen in ways.items():
        case = next(case for case in steps.CASES if case.name == name)
        found = tries.steps(case)
        for number, how in enumerate(chosen):
            fitting = [at for at, step in enumerate(found, 1) if how in steps.ways(step)]
            tries.strike(case, fitting[(2 * number + 1) * len(fitting) // (2 * len(chosen) + 1)], how)
