"""A share of the tries of `signals.py`: half of the long commands once; the others are run by hand."""

from __future__ import annotations

import random
from pathlib import Path

from tests.faults.signals import CASES, Signals


def test_a_signal_at_any_instant_ends_a_long_command(tmp_path: Path):
    signals = Signals(tmp_path)
    start = random.Random(5).randrange(1000) * len(CASES)
    for seed in range(start, start + len(CASES), 2):
        signals.strike(seed)
