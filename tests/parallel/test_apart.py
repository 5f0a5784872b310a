"""Noisy numbers side by side: only on disjoint processors, and only where it was shown that they bear each other."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from autoresearch.kernel.core.settings import Config
from autoresearch.kernel.disk.layout import standard
from autoresearch.kernel.run import context
from autoresearch.machine import limits
from autoresearch.parallel import apart

from tests.conftest import Ran, Repo
from tests.parallel.test_batch import assert_gone

Run = Callable[..., Ran]
TWO = pytest.mark.skipif(len(limits.processors()) < 2, reason="needs a system that keeps programs to two processors")
# Differs from run to run by less than the smallest gain that is wanted, and the same in each folder. It notes when and
# where it ran; the last of `{}` is added where another one runs at the same time.
CHECK = """
top=../beside; mkdir -p $top/now $top/$PWD; begun=$(date +%s%N)
mkdir $top/now/$$; sleep 0.15; others=$(($(ls $top/now | wc -l) - 1)); rmdir $top/now/$$
k=$(cat $top/$PWD/k 2>/dev/null || echo 0); echo $((k + 1)) > $top/$PWD/k
echo $begun $(date +%s%N) $(grep Cpus_allowed_list /proc/$$/status) $PWD >> $top/runs
{}echo $(($(cat n) + others * {})).$((k % 5))
"""
NOISY = {"kind": "noisy", "samples": [1, 2, 3], "spread": 1, "smallest_detectable": 1}


def begin(run_script: Run, repo: Repo, disturbs: int, last: str = "") -> None:
    """A parallel run whose number falls from 100 by whole numbers; `last` is run before the number is printed."""
    repo.write("n", "100\n")
    repo.commit("hundred")
    wish = ("--goal", "less", "--scope", "n", "--metric-name", "n", "--direction", "lower", "--min-delta", "1")
    more = ("--parallel-mode", "parallel", "--salvage-runs", "0", "--verify", CHECK.format(last, disturbs))
    ran = run_script("init_run", "--repo", repo.path, *wish, *more)
    assert ran.code == 0 and ran.json["noise"]["kind"] == "noisy", ran


def overlapping(repo: Repo) -> list[tuple[str, str]]:
    """The processors of each two runs of the check that overlapped."""
    lines = [line.split() for line in (repo.path.parent / "beside" / "runs").read_text().split("\n") if line]
    runs = [(int(begun), int(ended), cpus) for begun, ended, _, cpus, _ in lines]
    both = itertools.combinations(runs, 2)
    return [(one[2], other[2]) for one, other in both if one[0] < other[1] and other[0] < one[1]]


def batch_of_two(run_script: Run, repo: Repo, first: int) -> dict[str, object]:
    """Open two workers, edit, close; what `open` said."""
    opened = run_script("run_batch", "open", "--repo", repo.path, "--workers", 2, "--oversubscribe")
    assert opened.code == 0, opened.err
    (repo.path.parent / "beside" / "runs").write_text("")
    for number, worker in enumerate(opened.json["workers"]):
        (Path(worker["path"]) / "n").write_text(f"{first - 10 * number}\n")
    closed = run_script("run_batch", "close", "--repo", repo.path)
    assert closed.code == 0 and closed.json["selected_worker"] == "b", closed
    assert_gone(repo)
    answer: dict[str, object] = opened.json
    return answer


def opened_again(run_script: Run, repo: Repo) -> str:
    """What another batch says of its noisy numbers."""
    answer = run_script("run_batch", "open", "--repo", repo.path, "--workers", 2, "--oversubscribe")
    assert answer.code == 0 and run_script("run_batch", "abort", "--repo", repo.path).code == 0, answer.err
    return str(answer.json["side_by_side"])


def events(repo: Repo) -> list[dict[str, object]]:
    """What the log says of sets."""
    lines = repo.read("research-results.tsv").split("\n")
    return [json.loads(line.partition("event: ")[2]) for line in lines if '"kind": "apart"' in line]


@TWO
def test_noisy_numbers_overlap_on_sets_that_were_shown_to_be_good_for_it(repo: Repo, run_script: Run) -> None:
    begin(run_script, repo, 0)
    said = str(batch_of_two(run_script, repo, 80)["side_by_side"])
    assert said.startswith("noisy numbers are measured 2 at a time, on processors") and "within 1 of each other" in said
    (event,) = events(repo)
    sets = [",".join(map(str, cpus)) for cpus in event["sets"]]  # type: ignore[attr-defined]
    assert len(set(sets)) == 2
    found = overlapping(repo)
    assert found and all(sorted(both) == sorted(sets) for both in found), found
    assert opened_again(run_script, repo) == said and len(events(repo)) == 1  # shown once a run


@TWO
def test_noisy_numbers_that_disturb_each_other_wait_and_the_reason_is_told(repo: Repo, run_script: Run) -> None:
    begin(run_script, repo, 50)
    said = str(batch_of_two(run_script, repo, 80)["side_by_side"])
    assert said.startswith("noisy numbers are measured one after another: ") and "not shown to be within 1" in said
    (event,) = events(repo)
    assert event["sets"] == [] and overlapping(repo) == []
    assert opened_again(run_script, repo) == said and len(events(repo)) == 1


@TWO
def test_a_check_that_fails_beside_others_is_no_proof(repo: Repo, run_script: Run) -> None:
    begin(run_script, repo, 0, "[ $others = 0 ] || exit 3\n")
    said = opened_again(run_script, repo)
    assert said.startswith("noisy numbers are measured one after another: a run gave no number (exit code 3"), said
    assert events(repo)[0]["sets"] == []
    assert_gone(repo)


def test_where_no_sets_can_be_had_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = Config(noise=NOISY, max_runs=40)
    monkeypatch.setattr(limits, "processors", lambda: (0, 4, 1, 5))
    monkeypatch.setattr(limits, "cpu_count", lambda: 4)
    assert apart.possible(noisy, 2, False) == (((0, 4), (1, 5)), "")
    assert apart.possible(noisy, 3, False) == (((0,), (4,), (1,)), "")
    assert apart.possible(noisy, 9, False)[0] == ((0,), (4,), (1,), (5,))
    assert "elsewhere" in apart.possible(Config(noise=NOISY, max_runs=40, executor="slurm"), 2, False)[1]
    assert "accelerators" in apart.possible(noisy, 2, True)[1]
    assert "--max-runs" in apart.possible(Config(noise=NOISY, max_runs=4), 2, False)[1]
    monkeypatch.setattr(limits, "cpu_count", lambda: 1)  # a container's quota
    assert apart.possible(noisy, 2, False) == ((), "1 processor for 2 workers")
    monkeypatch.setattr(limits, "processors", lambda: ())
    assert "keeps no program" in apart.possible(noisy, 2, False)[1]


@pytest.mark.parametrize(
    ("executor", "waits"),
    [("local", True), ("slurm", True), ("slurm --exclusive -p x", False), ("ssh a {command}", True)],
)
def test_numbers_on_nodes_of_their_own_do_not_wait(executor: str, waits: bool) -> None:
    assert apart.is_noisy(Config(noise=NOISY, executor=executor)) is waits
    assert not apart.is_noisy(Config(noise={"kind": "exact"}, executor=executor))


@TWO
def test_a_process_is_kept_to_its_set_and_the_machine_is_as_large_as_before() -> None:
    before, cores = os.sched_getaffinity(0), limits.cpu_count()
    one = limits.processors()[:1]
    with limits.kept_to(one):
        assert os.sched_getaffinity(0) == set(one) and limits.cpu_count() == cores
    with limits.kept_to(()):
        assert os.sched_getaffinity(0) == before
    assert os.sched_getaffinity(0) == before and limits.cpu_count() == cores


def test_sets_of_processors_that_are_gone_hold_no_more(
    repo: Repo, run_script: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.write("n", "10\n")
    repo.commit("ten")
    run_script(
        "init_run", "--repo", repo.path, "--goal", "x", "--scope", "n", "--metric-name", "n", "--verify", "cat n"
    )
    layout = standard(repo.path)
    for sets, good in (([[0], [1]], True), ([[0], [7]], False), ([], False), ([["x"]], False), (5, False)):
        with context.writing(layout) as (run, held):
            run = context.append(run, held, [{"kind": "apart", "iteration": 0, "sets": sets}], [])
        monkeypatch.setattr(limits, "processors", lambda: (0, 1))
        assert bool(apart.shown(run)) is good, sets
