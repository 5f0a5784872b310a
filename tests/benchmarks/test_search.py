"""The bench of search: what the product's defaults rest on."""

from __future__ import annotations

import random
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


SALVAGE, RETRY, PAIRS, PRUNE, LINES, FALSE = 3, 4, 5, 6, 7, 9  # columns


def test_the_defaults_gain_and_what_does_not_pay_is_off():
    assert len(cells()) == len(bench.NOISES) * len(bench.RATIOS)
    assert min(percent(row[SALVAGE]) for row in cells()) >= 6
    assert all(any(percent(row[column]) < 0 for row in cells()) for column in (RETRY, PAIRS, PRUNE, LINES))
    config = Config()
    assert (config.retries, config.side_lines, config.prune, config.salvage_runs) == (0, 0, "never", None)


def test_false_keeps_stay_below_the_error_rate():
    assert all(percent(row[FALSE]) <= 5 for row in cells())


def test_a_side_line_is_left_or_adopted_within_the_minutes():
    seconds = bench.minutes(0.03, 2.0)
    worlds = [bench.order_of(seed, "lines", 0.03, 2.0, seconds)[0] for seed in range(12)]
    assert any(world.starts for world in worlds)
    assert all(world.line is None for world in worlds)


def test_pruning_drops_what_is_worth_nothing():
    dice = random.Random(3)
    patches = {name: bench.Patch(name, effect, name) for name, effect in (("good", 0.2), ("none", 0.0))}
    world = bench.World(patches, 0.0, 1.0, dice, "prune", kept=["good", "none"])
    bench._prune(world)
    assert (world.kept, world.seconds) == (["good"], 4)


def test_a_bad_hunk_is_salvaged_and_the_minutes_are_kept():
    seconds = bench.minutes(0.0, 10.0)
    greedy, plain = bench.order_of(1, "greedy", 0.0, 10.0, seconds)
    world, gain = bench.order_of(1, "salvage", 0.0, 10.0, seconds)
    assert gain > plain
    assert max(greedy.seconds, world.seconds) <= seconds + 20
