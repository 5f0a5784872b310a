"""A busy machine: simulated, beside the rules of other tools, and real runs under a load that is made.

`busy.py [--trials N] [--seed S]` judges simulated edits on machines whose neighbour comes and goes (`machines.py`) and
writes busy.md. `busy.py --real RUNS [--loads NAME…]` makes a repository with a small timed function for each run, sets
it up with the real `init_run` under load, tries seeded edits with the real `run_trial`, has the total measured by
`autoresearch_total.py`, and writes busy_real.md, with the load that the machine had without ours: no two hours agree.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE.parent.parent / "scripts"
sys.path[:0] = [str(HERE.parent.parent), str(SCRIPTS)]

from autoresearch.machine import load  # noqa: E402

from tests.benchmarks import decision_rules as rules  # noqa: E402
from tests.benchmarks import machines  # noqa: E402
from tests.benchmarks.machines import NEIGHBOURS, Clocked, Waiting  # noqa: E402

# What an edit leaves of the work, by its name.
EDITS = {"nothing": 1.0, "2 %": 0.98, "5 %": 0.95, "20 %": 0.8}
RULES: Sequence[type[rules.Naive]] = (rules.Naive, *machines.OTHERS, rules.PairsAlone, rules.Paired, Waiting)


# Simulated.


@dataclass
class Cell:
    """Edits of one kind under one rule: how many were kept, undecided, lost to a limit; runs and seconds in all."""

    kept: int = 0
    undecided: int = 0
    lost: int = 0
    runs: int = 0
    seconds: float = 0.0


def cell(rule: type[rules.Naive], place: str, share: float, trials: int, seed: int) -> Cell:
    """Judge `trials` edits, each on a machine and a baseline of its own; every rule meets the same machines."""
    found = Cell()
    for trial in range(trials):
        dice = random.Random(f"{seed} {place} {share} {trial}")
        machine, coin = Clocked(random.Random(dice.random()), NEIGHBOURS[place]), dice.getrandbits(64)
        judged = rule(machine) if rule is Waiting else rule()  # type: ignore[call-arg]
        judged.start(machine.measure(1.0))
        runs, begun = machine.runs, machine.now
        found.kept += judged.trial(machine.measure(share), machine.measure(1.0), coin) is not None
        found.undecided += getattr(judged, "outcome", "") == "undecided"
        found.lost += getattr(judged, "lost", False)
        found.runs += machine.runs - runs
        found.seconds += machine.now - begun
    return found


def row(rule: type[rules.Naive], place: str, trials: int, seed: int) -> str:
    """One line of the simulated table."""
    cells = [cell(rule, place, share, trials, seed) for share in EDITS.values()]
    kept = " | ".join(f"{100 * one.kept / trials:.1f} %" for one in cells)
    lost = sum(one.lost for one in cells) if rule is Waiting else "-"
    runs, seconds = (fmean(getattr(one, name) for one in cells) / trials for name in ("runs", "seconds"))
    return f"| {place} | {rule.name} | {kept} | {lost} | {runs:.1f} | {seconds:.0f} s |\n"


@dataclass(frozen=True)
class Ends:
    """What ten edits in a row leave of the work: as the log claims, in truth, and as measured in turns at the end."""

    claimed: float
    true: float
    told: float


def total(place: str, seed: int) -> Ends:
    """Ten edits in a row on one machine, by ours, and the total that is measured when they are done."""
    dice = random.Random(f"{seed} {place} total")
    machine = Clocked(random.Random(dice.random()), NEIGHBOURS[place])
    judged, true, claimed = Waiting(machine), 1.0, 1.0
    judged.start(machine.measure(1.0))
    plan = list(PLAN)
    dice.shuffle(plan)
    for share in map(EDITS.get, plan):
        assert share is not None
        gain = judged.trial(machine.measure(true * share), machine.measure(true), dice.getrandbits(64))
        if gain is not None:
            claimed *= 1 - gain / judged.level
            true *= share
    return Ends(claimed, true, 1 - machine.told(judged.rule, true))


def table(trials: int, seed: int) -> str:
    """The simulated file."""
    header = rules.header(["neighbour", "rule", *(f"{name} kept" for name in EDITS), "lost", "runs", "time"])
    lines = "".join(row(rule, place, trials, seed) for place in NEIGHBOURS for rule in RULES)
    ends = {place: [total(place, seed + n) for n in range(20)] for place in NEIGHBOURS}
    told = "".join(map(_totals, ends, ends.values()))
    return f"""# A busy machine

`python3 tests/benchmarks/busy.py --trials {trials} --seed {seed}`: simulated, {trials} edits a cell, each with a
machine and a baseline of its own. A run takes 0.3 s with a spread of 2 %. While the neighbour is at work (four busy
processes a core) it takes 1.5 to 5 times as long: 10 s of every 20 (`half of the time`), 1 s of every 5, or always.
Edits leave out nothing, 2, 5 or 20 % of the work. `lost` counts experiments that a limit of time would have ended, of
all in the row; runs and time are means per edit. The rules of labloop 1.0.5 and hillclimbanything 0.2.0 are those of
the packages, with their usual settings and a useful effect of 2 %.

{header}
{lines}
After ten edits in a row (four do nothing, two each of 2, 5 and 20 %), in those of 20 runs that kept any: the gain that
the log claims to the true one, and the gain that is told, which is measured in turns at the end, to the true one.

{rules.header(["neighbour", "claimed / true", "told / true", "told within 0.97 and 1.03"])}
{told}"""


def _totals(place: str, found: Sequence[Ends]) -> str:
    kept = [one for one in found if one.true < 1]
    claimed = [(1 - one.claimed) / (1 - one.true) for one in kept]
    told = [(1 - one.told) / (1 - one.true) for one in kept]
    shown = (f"{min(ratios):.3f} to {max(ratios):.3f}" for ratios in (claimed, told))
    return f"| {place} | {' | '.join(shown)} | {sum(0.97 <= one <= 1.03 for one in told)} of {len(told)} |\n"


# Real.

WORK = """\
SIZE = {size}  # {comment}


def work():
    total = 0
    for i in range(SIZE):
        total += i * i % 7
    return total
"""
BENCH = """\
import sys, time
sys.path.insert(0, "src")
from work import work
start = time.perf_counter()
work()
print("METRIC ms=%.4f" % ((time.perf_counter() - start) * 1000))
"""
SIZE = 1_000_000
BURN = "while True:\n    pass\n"
# name -> processes for each core, seconds on, seconds off (0: always on)
LOADS = {"as it is": (0, 0.0, 0.0), "steady": (2, 0.0, 0.0), "bursts": (4, 1.0, 4.0), "neighbour": (4, 10.0, 10.0)}
PLAN = ("nothing", "nothing", "nothing", "nothing", "2 %", "2 %", "5 %", "5 %", "20 %", "20 %")


@contextmanager
def busy(name: str) -> Iterator[None]:
    """Make a load of this kind; it is gone afterwards."""
    each, on, off = LOADS[name]
    burners = [subprocess.Popen([sys.executable, "-S", "-c", BURN]) for _ in range(each * load.read().cores)]
    pids = [str(burner.pid) for burner in burners]
    pacer = subprocess.Popen([sys.executable, __file__, "--pace", str(on), str(off), *pids])
    try:
        yield
    finally:
        pacer.kill()
        for burner in burners:
            burner.kill()
            burner.wait()
        pacer.wait()


def pace(on: float, off: float, pids: list[int]) -> None:
    """Stop and continue the processes in turns, for ever."""
    while off and pids:
        for sign, seconds in ((signal.SIGCONT, on), (signal.SIGSTOP, off)):
            for pid in pids:
                os.kill(pid, sign)
            time.sleep(seconds)


@dataclass
class Done:
    """What became of the edits of real runs: statuses by kind of edit, runs, seconds, put off; what the log claimed and
    what was told at the end, each to the gain that the kept edits are known to have."""

    statuses: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in EDITS})
    runs: int = 0
    seconds: float = 0.0
    postponed: int = 0
    claimed: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)


class Real:
    """One run in a repository of its own."""

    def __init__(self, top: Path, found: Done) -> None:
        self.root, self.found, self.size = top / "repo", found, SIZE
        (self.root / "src").mkdir(parents=True)
        (self.root / "bench.py").write_text(BENCH)
        self.env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "PYTHONDONTWRITEBYTECODE": "1"}
        self.write("as it was", SIZE)
        for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "start"]):
            who = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
            subprocess.run(["git", *who, *words], cwd=self.root, env=self.env, check=True)
        for key in ("name", "email"):
            subprocess.run(["git", "config", f"user.{key}", "bench@localhost"], cwd=self.root, check=True)

    def write(self, comment: str, size: int) -> None:
        """Edit the function."""
        (self.root / "src" / "work.py").write_text(WORK.format(size=size, comment=comment))

    def call(self, name: str, *flags: str) -> subprocess.CompletedProcess[str]:
        """Run one script of the tool."""
        argv = [sys.executable, str(SCRIPTS / f"autoresearch_{name}.py"), "--repo", str(self.root), *flags]
        return subprocess.run(argv, capture_output=True, text=True, env=self.env, check=False)

    def run(self, plan: Sequence[str]) -> None:
        """Set up, try the edits one after the other, measure the total."""
        setup = ("--verify", "python3 bench.py", "--scope", "src/", "--metric-name", "ms", "--salvage-runs", "0")
        ran = self.call("init_run", *setup, "--environment-summary", "bench")
        assert ran.returncode == 0, ran.stderr
        for number, kind in enumerate(plan, start=1):
            self._edit(number, kind)
        ran = self.call("total", "--format", "json")
        known = 1 - self.size / SIZE
        if ran.returncode == 0 and known:
            answer = json.loads(ran.stdout)
            for ratios, ends in ((self.found.claimed, answer["claimed"]), (self.found.told, answer["true"])):
                ratios.append(float(ends["gain"]) / float(ends["before"]) / known)

    def _edit(self, number: int, kind: str) -> None:
        size, begun = int(self.size * EDITS[kind]), time.monotonic()
        self.write(f"edit {number}", size)
        for _ in range(5):
            ran = self.call("run_trial", "--description", f"edit {number}: {kind}")
            if ran.returncode == 0:
                break
            assert "postponed" in ran.stderr, ran.stderr
            self.found.postponed += 1
        answer: dict[str, Any] = json.loads(ran.stdout)
        self.found.seconds += time.monotonic() - begun
        self.size = size if answer["status"] == "keep" else self.size
        evidence = self.root / answer["evidence_path"] / "trial.json"
        told = json.loads(evidence.read_text())
        self.found.runs += len(told["samples"]) + len(told["retained_samples"])
        undecided = answer["decision"].startswith("undecided")
        self.found.statuses[kind].append("undecided" if undecided else str(answer["status"]))


def real_rows(name: str, runs: int, seed: int) -> Iterator[str]:
    """The lines of one load."""
    found = Done()
    with busy(name), tempfile.TemporaryDirectory(prefix="busy-bench-") as folder:
        for number in range(runs):
            plan = list(PLAN)
            random.Random(f"{seed} {name} {number}").shuffle(plan)
            Real(Path(folder) / str(number), found).run(plan)
    edits = sum(map(len, found.statuses.values()))
    for kind, seen in found.statuses.items():
        counts = " | ".join(str(seen.count(status)) for status in ("keep", "undecided", "discard", "crash"))
        yield f"| {name} | {kind} | {len(seen)} | {counts} |\n"
    claimed, told = (", ".join(f"{ratio:.2f}" for ratio in ratios) for ratios in (found.claimed, found.told))
    yield f"| {name} | per edit: {found.runs / edits:.1f} runs, {found.seconds / edits:.0f} s | {edits} | "
    yield f"postponed {found.postponed} times | claimed / true: {claimed} | told / true: {told} | |\n"


def real_table(names: Sequence[str], runs: int, seed: int) -> str:
    """The recorded file of real runs."""
    now, begun = load.read(), time.monotonic()
    lines = [line for name in names for line in real_rows(name, runs, seed)]
    header = rules.header(["load", "edit", "tried", "kept", "undecided", "no gain", "crash (a limit)"])
    return f"""# Real runs on a busy machine

`python3 tests/benchmarks/busy.py --real {runs} --seed {seed}`: {runs} runs of ten seeded edits a load, with the real
scripts, on a small Python loop that is timed in a new interpreter each run. Before ours was added the machine had {now}
of others' ({time.monotonic() - begun:.0f} s in all).

{header}
{"".join(lines)}"""


def main() -> None:
    """Measure, write the file, print it."""
    if sys.argv[1:2] == ["--pace"]:
        pace(float(sys.argv[2]), float(sys.argv[3]), list(map(int, sys.argv[4:])))
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=400, help="simulated edits per cell (default 400)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--real", type=int, default=0, metavar="RUNS", help="real runs of ten edits a load")
    parser.add_argument("--loads", nargs="+", choices=list(LOADS), default=list(LOADS))
    args = parser.parse_args()
    text = real_table(args.loads, args.real, args.seed) if args.real else table(args.trials, args.seed)
    (HERE / ("busy_real.md" if args.real else "busy.md")).write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
