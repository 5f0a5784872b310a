"""`--measure`: what a run of verify itself cost is the metric, of all that it started."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from autoresearch.gauges import gauge
from autoresearch.kernel.core.settings import Config
from autoresearch.kernel.system import process

from tests.conftest import HANG, Ran, Repo, require

Run = Callable[..., Ran]
WORK = """import sys
total = sum(i * i for i in range({loops}))
print("METRIC answer=7")
sys.exit({code})
"""
# Stands in for a machine that has counters: the report of perf 6.1 with `-x,`.
COUNTS = """#!/bin/sh
while [ "$1" != -o ]; do shift; done
echo "# started on Mon" > "$2"
echo "{count},,instructions:u,1234567,100.00,," >> "$2"
shift 3
exec "$@"
"""


def work(repo: Repo, loops: int, code: int = 0) -> None:
    """Write a program that loops so often."""
    repo.write("work.py", WORK.format(loops=loops, code=code))


@pytest.fixture
def ready(repo: Repo) -> Repo:
    """A repository with that program."""
    work(repo, 1_500_000)
    repo.commit("a program")
    return repo


def start(run_script: Run, repo: Repo, *more: str, measure: str = "cpu") -> Ran:
    """Set up a run whose metric is a cost."""
    return run_script(
        *("init_run", "--repo", repo.path, "--goal", "faster", "--scope", "work.py", "--metric-name", "cost"),
        *("--verify", f"{sys.executable} -c 'exec(open(\"work.py\").read())'"),
        *("--measure", measure, "--min-delta", "0.02", *more),
    )


def trial(run_script: Run, repo: Repo, about: str) -> dict[str, object]:
    """A trial's answer."""
    return dict(run_script("run_trial", "--repo", repo.path, "--description", about).json)


def test_a_dry_run_tells_every_measure_with_its_spread(ready: Repo, run_script: Run) -> None:
    answer = start(run_script, ready, "--dry-run", measure="none").json
    assert answer["baseline_metric"] == 7
    spread = r"(exact|± [\d.]+ %)"
    told = rf"wall [\d.]+ s {spread}, cpu [\d.]+ s {spread}(, rss [\d.]+ MB {spread})?; "
    assert re.fullmatch(told + r"of the time (wall|cpu) is the steadiest \(--measure (wall|cpu)\)", answer["cost"])


def test_slower_is_dropped_faster_is_kept_and_a_failure_is_a_crash(ready: Repo, run_script: Run) -> None:
    ran = start(run_script, ready)
    assert ran.code == 0, ran.err
    assert 0.03 < ran.json["baseline_metric"] < 3
    assert ran.json["others"] == {"answer": 7}
    work(ready, 3_000_000)
    assert trial(run_script, ready, "twice the work")["status"] == "discard"
    work(ready, 10)
    kept = trial(run_script, ready, "no work")
    assert kept["status"] == "keep", kept
    work(ready, 1, code=3)
    crashed = trial(run_script, ready, "fails at once")
    assert crashed["status"] == "crash" and "exit code 3" in str(crashed)


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (("--metric-key", "answer"), "--measure cpu does not go with --metric-key: it reads a printed number"),
        (("--executor", "ssh h {command}"), "--measure cpu does not go with --executor: what runs elsewhere"),
    ],
)
def test_what_does_not_go_together_is_refused(ready: Repo, run_script: Run, flags: tuple[str, ...], why: str) -> None:
    ran = start(run_script, ready, *flags)
    assert ran.code == 1 and why in ran.err and len(ran.err.strip().splitlines()) == 1


def test_instructions_are_refused_where_nothing_counts_them(
    ready: Repo, run_script: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "<not supported>", monkeypatch)
    ran = start(run_script, ready, measure="instructions")
    assert ran.code == 1 and "perf stat counts none on this machine" in ran.err and "--measure cpu" in ran.err
    assert len(ran.err.strip().splitlines()) == 1


def test_instructions_are_read_from_the_report_of_perf(
    ready: Repo, run_script: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "3100000000", monkeypatch)
    answer = start(run_script, ready, "--dry-run", measure="instructions").json
    assert answer["baseline_metric"] == 3100000000 and answer["noise"]["kind"] == "exact"
    assert "instructions 3100 million exact; of the time instructions is the steadiest" in answer["cost"]


def test_a_dry_run_tells_the_instructions_where_they_are_counted(
    ready: Repo, run_script: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "3100000000", monkeypatch)
    answer = start(run_script, ready, "--dry-run", measure="none").json
    assert answer["baseline_metric"] == 7 and "instructions 3100 million exact" in answer["cost"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="valgrind knows no present macOS")
def test_instructions_are_counted_by_callgrind_when_asked(ready: Repo, run_script: Run) -> None:
    require("valgrind")
    loop = "i=0; while [ $i -lt {0} ]; do i=$((i+1)); done & /bin/sh -c 'true'; wait\n"
    ready.write("work.py", loop.format(2000))
    ready.commit("a shell script by that name")
    answer = start(run_script, ready, "--verify", 'sh -c "$(cat work.py)"', measure="callgrind")
    assert answer.code == 0, answer.err
    assert answer.json["baseline_metric"] > 2000 * 100
    ready.write("work.py", loop.format(200))
    assert trial(run_script, ready, "a tenth of the work")["status"] == "keep"


def program(folder: Path, count: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `perf` that counts this."""
    path = folder / "bin" / "perf"
    path.parent.mkdir()
    path.write_text(COUNTS.replace("{count}", count))
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")


def test_the_whole_tree_is_counted_and_the_largest_process_is_the_peak(tmp_path: Path) -> None:
    burn = f"{sys.executable} -c 'import time; a = bytearray(200 * 10**6)\nwhile time.process_time() < 0.3: pass'"
    done = process.run_shell(f"({burn}); ({burn}) & wait", tmp_path, HANG, {}, "tree")
    assert done.exit_code == 0 and 0.6 <= done.cpu < 1.5
    assert 200e6 < done.rss < max(300e6, done.floor + 1)  # a child is never told smaller than who forked it
    orphan = process.run_shell(
        f"( ({burn}; touch burnt) & ); until test -e burnt; do sleep 0.05; done", tmp_path, HANG, {}, "orphan"
    )
    assert orphan.exit_code == 0
    if sys.platform.startswith("linux"):
        assert orphan.cpu >= 0.25 and orphan.rss > 200e6
    small = process.run_shell("true", tmp_path, HANG, {}, "small")
    assert small.cpu < 0.2 and small.rss <= max(small.floor, 30e6)


def test_the_peak_is_told_where_it_is_above_what_a_child_begins_with(ready: Repo, run_script: Run) -> None:
    ready.write("work.py", "block = bytearray(150 * 10**6)\n")
    ready.commit("memory")
    assert 150 < start(run_script, ready, "--dry-run", measure="rss").json["baseline_metric"] < 200
    ran = start(run_script, ready, "--dry-run", "--verify", "cat work.py", measure="rss")
    if sys.platform.startswith("linux"):
        assert ran.code == 1 and "below which this system does not tell" in ran.err
        assert "--measure cpu" in ran.err


@pytest.mark.parametrize(
    ("name", "values", "cpu", "told"),
    [
        ("ms", (110, 85, 122, 135), ("0.258", "0.253", "0.251", "0.26"), True),
        ("p50_ms", (110, 85, 122, 135), ("0.258", "0.253", "0.251", "0.26"), True),
        ("ms", (110, 111, 110, 111), ("0.258", "0.253", "0.251", "0.26"), False),
        ("ms", (110, 85, 122, 135), ("0.2", "0.25", "0.3", "0.35"), False),
        ("loss", (110, 85, 122, 135), ("0.258", "0.253", "0.251", "0.26"), False),
        ("ms", (110, 85), ("0.258", "0.253"), False),
        ("ms", (110, 85, 122, 135), (), False),
    ],
)
def test_a_clock_that_varies_more_than_processor_time_is_told_with_the_flag(
    name: str, values: tuple[int, ...], cpu: tuple[str, ...], told: bool
) -> None:
    costs = [{"cpu": Decimal(one)} for one in cpu] or [{}] * len(values)
    samples = [{"value": value, "cost": cost} for value, cost in zip(values, costs)]
    said = gauge.steadier(Config(metric=name), samples)
    assert ("--measure cpu" in said) == told
