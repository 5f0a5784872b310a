"""Programs that import what earlier versions had go on working."""

from __future__ import annotations

import autoresearch.system
import pytest
from autoresearch.cli import main
from autoresearch.machine import accelerators, limits


def test_the_earlier_name_has_the_same_modules():
    assert (autoresearch.system.machine, autoresearch.system.accelerators) == (limits, accelerators)
    assert limits.free_mb is not None


def test_a_command_is_found_by_its_name_alone(capfd: pytest.CaptureFixture[str]):
    flags = ["--direction", "lower", "--current-metric", "5", "--trial-metric", "4"]
    assert main("decision", flags) == main("cli.decision", flags) == 0
    told = capfd.readouterr().out
    assert told[: len(told) // 2] == told[len(told) // 2 :]
