"""A share of the tries of `signals.py`: each long command once; the others are run by hand."""

from __future__ import annotations

import random
from pathlib import Path

from tests.faults.signals import COMMANDS, Signals
from tests.faults.stage import Stage


def test_a_signal_at_any_instant_ends_every_long_command(tmp_path: Path):
    signals = Signals((Stage(tmp_path / "bare"), Stage(tmp_path / "begun")))
    start = random.Random(5).randrange(1000) * len(COMMANDS)
    for seed in range(start, start + len(COMMANDS)):
        signals.strike(seed)
