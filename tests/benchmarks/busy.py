"""Real trials of a real timing on a busy machine: `busy.py [--trials N] [--seed S] [--loads NAME…]`.

The subject is the small timed loop of `decision_rules.py`, run in a new interpreter each time. Edits do nothing, or
leave out 2, 5 or 20 % of the work. While a trial runs, other processes make the load: none (`as it is`), two for each
core (`steady`), four for each core in bursts of a second (`bursts`), or for half of every twenty seconds (`neighbour`).
A trial is judged by the same rule, limits and calibration as in a run. Writes busy.md beside itself, with the load that
the machine had without ours: no two machines, and no two hours, agree on these figures.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent), str(HERE.parent.parent / "scripts")]

from autoresearch.kernel.core import timelimit  # noqa: E402
from autoresearch.machine import load  # noqa: E402

from tests.benchmarks import decision_rules as rules  # noqa: E402

BURN = "import time\nwhile True:\n    pass\n"
CORES = load.read().cores
# name -> processes for each core, seconds on, seconds off (0: always on)
LOADS = {"as it is": (0, 0.0, 0.0), "steady": (2, 0.0, 0.0), "bursts": (4, 1.0, 4.0), "neighbour": (4, 10.0, 10.0)}
EDITS = {"nothing": 1.0, "2 % less work": 0.98, "5 % less work": 0.95, "20 % less work": 0.8}


@contextmanager
def busy(name: str) -> Iterator[None]:
    """Make a load of this kind; it is gone afterwards."""
    each, on, off = LOADS[name]
    burners = [subprocess.Popen([sys.executable, "-S", "-c", BURN]) for _ in range(each * CORES)]
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


@dataclass(eq=False)  # a key of mappings, by identity
class Timed:
    """A measure of the loop that notes how long each run took as a whole."""

    clock: rules.Clock
    share: float
    comment: str

    def __post_init__(self) -> None:
        self.seconds: list[float] = []
        self.run = self.clock.measure(self.share, self.comment)

    def __call__(self) -> float:
        start = time.monotonic()
        value = self.run()
        self.seconds.append(time.monotonic() - start)
        return value


@dataclass
class Cell:
    """What became of the trials of one kind of edit under one load."""

    kept: int = 0
    undecided: int = 0
    lost: int = 0
    runs: int = 0
    seconds: float = 0.0

    def row(self, name: str, edit: str, trials: int) -> str:
        """A line of the table."""
        figures = f"{self.kept} of {trials} | {self.undecided} | {self.lost}"
        return f"| {name} | {edit} | {figures} | {self.runs / trials:.1f} | {self.seconds / trials:.1f} s |\n"


def cell(name: str, share: float, trials: int, seed: int) -> Cell:
    """Judge edits of one kind under one load: the baseline is measured under it too."""
    found, dice = Cell(), random.Random(f"{seed} {name} {share}")
    for trial in range(trials):
        clock, judged, start = rules.Clock(), rules.Paired(), time.monotonic()
        retained = Timed(clock, 1.0, "as it was")
        judged.start(retained)
        usual = sorted(retained.seconds)[1]
        retained.seconds.clear()
        candidate, before = Timed(clock, share, f"edit {trial}"), clock.runs
        found.kept += judged.trial(candidate, retained, dice.getrandbits(64)) is not None
        found.undecided += judged.outcome == "undecided"
        limit = timelimit.limit(None, usual)
        found.lost += max(candidate.seconds) > limit.hard or timelimit.slower(candidate.seconds, retained.seconds)
        found.runs += clock.runs - before
        found.seconds += time.monotonic() - start
    return found


def table(names: list[str], trials: int, seed: int) -> str:
    """The recorded file."""
    now = load.read()
    lines = []
    for name in names:
        with busy(name):
            lines += [cell(name, share, trials, seed).row(name, edit, trials) for edit, share in EDITS.items()]
    header = rules.header(["load", "edit", "kept", "undecided", "lost to a limit", "runs", "time"])
    return f"""# Trials on a busy machine

`python3 tests/benchmarks/busy.py --trials {trials} --seed {seed}`: a small Python loop, timed in a new interpreter each
run; {trials} edits a cell, each with a baseline of its own. The machine had {now} of others' before ours was added.

{header}
""" + "".join(lines)


def main() -> None:
    """Measure, write the file, print it."""
    if sys.argv[1:2] == ["--pace"]:
        pace(float(sys.argv[2]), float(sys.argv[3]), list(map(int, sys.argv[4:])))
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=10, help="edits per cell (default 10)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--loads", nargs="+", choices=list(LOADS), default=list(LOADS))
    args = parser.parse_args()
    text = table(args.loads, args.trials, args.seed)
    (HERE / "busy.md").write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
