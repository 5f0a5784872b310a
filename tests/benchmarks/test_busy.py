"""The promises on a busy machine: four busy processes a core for half of the time, simulated with a fixed seed."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks import busy
from tests.benchmarks.machines import Waiting

HALF = "half of the time"
RECORDED = Path(busy.__file__).with_name("busy.md").read_text(encoding="utf-8")


def test_nothing_is_lost_and_gains_are_kept_while_others_work_half_of_the_time():
    cells = {share: busy.cell(Waiting, HALF, share, 200, seed=1) for share in (1.0, 0.95, 0.8)}
    assert [one.lost for one in cells.values()] == [0, 0, 0]
    assert cells[1.0].kept <= 0.05 * 200
    assert cells[0.95].kept >= 0.70 * 200
    assert cells[0.8].kept >= 0.95 * 200


def test_the_total_that_is_told_is_the_true_one():
    ends = [busy.total(HALF, seed) for seed in range(1, 21)]
    assert all(0.97 <= (1 - one.told) / (1 - one.true) <= 1.03 for one in ends)


def test_the_recorded_table_is_what_the_code_yields():
    assert busy.row(Waiting, HALF, 400, 1) in RECORDED
