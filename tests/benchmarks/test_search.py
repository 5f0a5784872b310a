"""The bench of search: what the product's defaults rest on."""

from __future__ import annotations

from pathlib import Path

from autoresearch.kernel.core.settings import Config

from tests.benchmarks import search as bench

RECORDED = Path(bench.__file__).with_name("search.md").read_text(encoding="utf-8")


def cells() -> list[list[str]]:
    """The table's rows."""
    lines = [line for line in RECORDED.split("\n") if line.startswith("| ")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def percent(cell: str) -> float:
    return float(cell.replace("%", ""))


def test_what_loses_at_equal_minutes_is_off_by_default():
    assert len(cells()) == len(bench.NOISES) * len(bench.RATIOS)
    assert all(percent(row[3]) > 0 for row in cells()), "salvage"
    assert any(percent(row[4]) < -1 for row in cells()), "retry"
    assert Config().retries == 0
    assert Config().salvage_runs is None


def test_false_keeps_stay_below_the_error_rate():
    assert all(percent(row[7]) <= 5 for row in cells())


def test_a_bad_hunk_is_salvaged_and_the_minutes_are_kept():
    seconds = bench.minutes(0.0, 10.0)
    greedy, plain = bench.order_of(1, "greedy", 0.0, 10.0, seconds)
    world, gain = bench.order_of(1, "salvage", 0.0, 10.0, seconds)
    assert gain > plain
    assert max(greedy.seconds, world.seconds) <= seconds + 20
