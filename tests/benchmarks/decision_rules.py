"""How four ways of judging a noisy trial fare: `decision_rules.py [--trials N] [--seed S] [--real]`.

Simulated: every noise has standard deviation 1 (one *spread*) for a single run, and a lower metric is better.
A *cell* judges one edit of a known true gain, many times over; a *run* is fifty edits in a row, of which most
do nothing or harm, and compares the gain that the log claims at the end with the true one. With `--real` the
same rules judge edits to a small timed function. Writes decision_rules.md, or
decision_rules_real.md, beside itself. Times are not recorded: the same seed gives the same file.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from statistics import fmean, median

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "scripts"))

from autoresearch.noise.calibration import calibrate  # noqa: E402
from autoresearch.noise.outliers import steady_spread  # noqa: E402
from autoresearch.noise.paired import patient  # noqa: E402
from autoresearch.noise.sequential import NoiseRule, judge, order  # noqa: E402

Measure = Callable[[], float]
EDITS = 50
BUDGET = NoiseRule(direction="lower")


# Noise: each is an endless stream of errors with standard deviation 1.


def normal(dice: random.Random) -> Iterator[float]:
    while True:
        yield dice.gauss(0, 1)


def heavy_tailed(dice: random.Random) -> Iterator[float]:
    """Student's t with three degrees of freedom."""
    while True:
        chi = sum(dice.gauss(0, 1) ** 2 for _ in range(3))
        yield dice.gauss(0, 1) / chi**0.5  # divided by its standard deviation, sqrt(3)


def spiky(dice: random.Random) -> Iterator[float]:
    """Lognormal: never far below its middle, now and then far above."""
    mean, deviation = 1.6487, 2.1612
    while True:
        yield (dice.lognormvariate(0, 1) - mean) / deviation


def drifting(dice: random.Random) -> Iterator[float]:
    """Normal noise on a machine that gets steadily slower or faster, and wanders."""
    level, slope = 0.0, dice.choice((-0.2, 0.2))
    while True:
        yield level + dice.gauss(0, 1)
        level += slope + dice.gauss(0, 0.2)


def bimodal(dice: random.Random) -> Iterator[float]:
    """Two states of the machine, each of which lasts five runs on average."""
    state = dice.choice((-0.97, 0.97))
    while True:
        yield state + dice.gauss(0, 0.243)
        state = -state if dice.random() < 0.2 else state


NOISES = {
    "normal": normal,
    "heavy-tailed": heavy_tailed,
    "spiky": spiky,
    "drifting": drifting,
    "bimodal": bimodal,
}


def bursts(share: float, length: int) -> Callable[[random.Random], Iterator[float]]:
    """Normal noise, and now and then something else that makes `length` runs in a row up to 70 % slower.

    The noise is 1 % of the value, so 70 % are 70 spreads; `share` is that of the runs that are hit, about.
    """

    def noise(dice: random.Random) -> Iterator[float]:
        start = share / (length - share * (length - 1))
        while True:
            hit = dice.random() < start
            for _ in range(length if hit else 1):
                yield dice.gauss(0, 1) + (dice.uniform(0, 70) if hit else 0.0)

    return noise


BURSTS = {
    "a fifth of the runs": bursts(0.2, 1),
    "a tenth of the runs": bursts(0.1, 1),
    "five runs at a time": bursts(1 / 6, 5),
}


# Rules: `start` measures the baseline; `trial` judges one edit: the gain it claims, or None for a discard.


class Naive:
    """One run each; keep whatever looks better."""

    name = "naive: one run, keep if better"
    retained = 0.0

    def start(self, retained: Measure) -> None:
        self.retained = retained()

    def trial(self, candidate: Measure, retained: Measure, seed: int) -> float | None:
        return self.keep_beyond(candidate(), 0.0)

    def keep_beyond(self, value: float, threshold: float) -> float | None:
        gain = self.retained - value
        if gain <= threshold:
            return None
        self.retained = value
        return gain


class Mad(Naive):
    """One run each; keep if better by two scaled MADs of five baseline runs."""

    name = "MAD: one run, keep beyond 2 MADs"
    threshold = 0.0

    def start(self, retained: Measure) -> None:
        values = [retained() for _ in range(5)]
        self.retained = median(values)
        self.threshold = 2 * 1.4826 * median(abs(value - self.retained) for value in values)

    def trial(self, candidate: Measure, retained: Measure, seed: int) -> float | None:
        return self.keep_beyond(candidate(), self.threshold)


class Confirm(Naive):
    """Median of three runs; a would-be keep must be better in the median of three more."""

    name = "repeat and confirm: median of 3, twice"

    def start(self, retained: Measure) -> None:
        self.retained = median(retained() for _ in range(3))

    def trial(self, candidate: Measure, retained: Measure, seed: int) -> float | None:
        first = median(candidate() for _ in range(3))
        if first >= self.retained:
            return None
        return self.keep_beyond(max(first, median(candidate() for _ in range(3))), 0.0)


class Paired(Naive):
    """The sequential paired rule."""

    name = "ours: sequential pairs"
    rule = budget = BUDGET
    outcome = ""  # of the last discard

    def start(self, retained: Measure) -> None:
        self.calibrated([Decimal(repr(retained())) for _ in range(3)])

    def calibrated(self, samples: list[Decimal]) -> None:
        """Take the noise from runs of the baseline."""
        found = calibrate(samples, [], BUDGET.max_runs, BUDGET.alpha)
        worth = Decimal(repr(float(found.smallest_detectable)))
        steady = steady_spread(samples, found.spread)
        self.rule = replace(self.budget, spread=found.spread, steady=steady, worth=worth)

    def trial(self, candidate: Measure, retained: Measure, seed: int) -> float | None:
        pairs: list[tuple[Decimal, Decimal]] = []
        while True:
            arms = [candidate, retained] if order(seed, len(pairs)) else [retained, candidate]
            values = {arm: Decimal(repr(arm())) for arm in arms}
            pairs.append((values[candidate], values[retained]))
            verdict = judge(pairs, self.rule)
            if verdict.action != "more":
                break
        self.outcome = verdict.outcome
        return float(verdict.estimate or 0) if verdict.action == "keep" else None


class PairsAlone(Paired):
    """The same without a look at bursts: every pair counts, and none is too early."""

    name = "before: every pair counts"

    def start(self, retained: Measure) -> None:
        for _ in range(3):
            retained()


class Cheap(Paired):
    """The same after a minute of thought: nothing is called hopeless before eight pairs of such short runs."""

    name = "ours, 0.3 s a run, 60 s of thought"
    budget = replace(BUDGET, patient=patient(60, 0.3))


RULES = (Naive, Mad, Confirm, Paired, Cheap)
COLUMNS = ["noise", "rule", "do-nothing edits kept", "runs"]
COLUMNS += ["gain of 1.5 spreads: missed, runs", "gain of 3 spreads: missed, runs", "claimed / true"]


@dataclass
class Machine:
    """Measures a true value with noise, and counts the runs."""

    noise: Iterator[float]
    runs: int = 0

    def measure(self, value: float) -> Measure:
        def run() -> float:
            self.runs += 1
            return value + next(self.noise)

        return run


@dataclass(frozen=True)
class Cell:
    """`trials` edits of one true gain: how many were kept, and runs per edit (baseline runs left out)."""

    trials: int
    kept: int
    runs: float
    undecided: int = 0

    @property
    def share(self) -> float:
        return self.kept / self.trials


def cell(rule: type[Naive], noise: str, gain: float, trials: int, seed: int) -> Cell:
    """Judge `trials` edits, each on a machine and a baseline of its own."""
    dice = random.Random(f"{seed} {rule.name} {noise} {gain}")
    kept = runs = undecided = 0
    for _ in range(trials):
        machine, judged = Machine((NOISES | BURSTS)[noise](dice)), rule()
        judged.start(machine.measure(0.0))
        before = machine.runs
        kept += judged.trial(machine.measure(-gain), machine.measure(0.0), dice.getrandbits(64)) is not None
        runs += machine.runs - before
        undecided += getattr(judged, "outcome", "") == "undecided"
    return Cell(trials, kept, runs / trials, undecided)


def edits(dice: random.Random) -> list[float]:
    """True gains of the edits of one run: 34 do nothing, 8 harm, 8 help."""
    gains = [0.0] * (EDITS - 16) + [-2.0, -1.0] * 4 + [1.0, 1.5, 2.0, 3.0] * 2
    dice.shuffle(gains)
    return gains


def history(rule: type[Naive], noise: str, dice: random.Random) -> tuple[float, float]:
    """Claimed and true total gain of one run of edits, in spreads."""
    machine, judged = Machine(NOISES[noise](dice)), rule()
    value = claimed = 0.0
    judged.start(machine.measure(value))
    for gain in edits(dice):
        seen = judged.trial(machine.measure(value - gain), machine.measure(value), dice.getrandbits(64))
        if seen is not None:
            value -= gain
            claimed += seen
    return claimed, -value


def totals(rule: type[Naive], noise: str, runs: int, seed: int) -> tuple[float, float]:
    """Mean claimed and mean true total gain over `runs` runs of edits."""
    dice = random.Random(f"{seed} {rule.name} {noise} history")
    seen = [history(rule, noise, dice) for _ in range(runs)]
    return fmean(claimed for claimed, _ in seen), fmean(true for _, true in seen)


def row(rule: type[Naive], noise: str, trials: int, seed: int) -> str:
    """One line of the table."""
    nothing, small, large = (cell(rule, noise, gain, trials, seed) for gain in (0.0, 1.5, 3.0))
    claimed, true = totals(rule, noise, max(1, trials // 20), seed)
    figures = [f"{100 * nothing.share:.1f} %", f"{nothing.runs:.1f}"]
    figures += [f"{100 * (1 - one.share):.1f} %, {one.runs:.1f}" for one in (small, large)]
    return f"| {noise} | {rule.name} | " + " | ".join([*figures, f"{claimed:.1f} / {true:.1f}"]) + " |"


BURST_COLUMNS = [
    "bursts in",
    "rule",
    "do-nothing edits kept",
    "runs",
    "gain of 5 % kept, runs",
    "gain of 10 % kept, runs",
]


def burst_row(rule: type[Naive], noise: str, trials: int, seed: int) -> str:
    """One line of the table on bursts."""
    nothing, small, large = (cell(rule, noise, gain, trials, seed) for gain in (0.0, 5.0, 10.0))
    figures = [f"{100 * nothing.share:.1f} %", f"{nothing.runs:.1f}"]
    figures += [f"{100 * one.share:.1f} %, {one.runs:.1f}" for one in (small, large)]
    return f"| {noise} | {rule.name} | " + " | ".join(figures) + " |"


def burst_table(trials: int, seed: int) -> str:
    """What bursts of other work do to the rule, before and after it looks at them."""
    lines = [burst_row(rule, noise, trials, seed) for noise in BURSTS for rule in (PairsAlone, Paired)]
    return f"""
## Bursts

The noise is 1 % of the value, and something else makes some runs slower by up to 70 %, the baseline's runs too.

{header(BURST_COLUMNS)}
""" + "".join(f"{line}\n" for line in lines)


def undecided_table(trials: int, seed: int) -> str:
    """How often a discard says that it is undecided."""
    cells = [(noise, gain) for noise in ("normal", "heavy-tailed", "a fifth of the runs") for gain in (0.0, 1.5)]
    lines = []
    for noise, gain in cells:
        one = cell(Paired, noise, gain, trials, seed)
        shares = [100 * n / trials for n in (one.kept, one.undecided, trials - one.kept - one.undecided)]
        lines.append(f"| {noise} | {gain:g} | " + " | ".join(f"{share:.1f} %" for share in shares) + " |\n")
    columns = ["noise", "true gain, spreads", "kept", "discarded: undecided", "discarded: no gain"]
    return f"""
## Undecided is not refuted

{header(columns)}
""" + "".join(lines)


def table(trials: int, seed: int) -> str:
    """The whole recorded file."""
    lines = [row(rule, noise, trials, seed) for noise in NOISES for rule in RULES]
    runs = max(1, trials // 20)
    return (
        f"""# Decision rules under noise

`python3 tests/benchmarks/decision_rules.py --trials {trials} --seed {seed}`: {trials} edits a cell. One
spread is the standard deviation of a single run. Runs are means per edit over both arms. Ours: alpha
{BUDGET.alpha}, at most {BUDGET.max_runs} runs. The last column is the total gain, in spreads, that the log
claims after {EDITS} edits (34 do nothing, 8 harm, 8 help, 15 spreads to be had) beside the true one: means
over {runs} such runs.

{header(COLUMNS)}
"""
        + "".join(f"{line}\n" for line in lines)
        + burst_table(trials, seed)
        + undecided_table(trials, seed)
    )


def header(columns: list[str]) -> str:
    """The two first lines of a Markdown table."""
    return f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}"


# The real metric: milliseconds that a small function takes, in a new interpreter each run.

WORK = """
import sys, time
def work(n):
    total = 0
    for i in range(n):
        total += i * i % 7  # {comment}
    return total
start = time.perf_counter()
work({size})
print((time.perf_counter() - start) * 1000)
"""
SIZE = 100_000
REAL_EDITS = {"a new comment": (1.0, 40), "2 % less work": (0.98, 10), "20 % less work": (0.8, 10)}


@dataclass
class Clock:
    """Runs the program and counts the runs."""

    runs: int = 0

    def measure(self, share: float, comment: str) -> Measure:
        code = WORK.format(size=int(SIZE * share), comment=comment)

        def run() -> float:
            self.runs += 1
            done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, check=True)
            return float(done.stdout)

        return run


def real_row(rule: type[Naive], share: float, trials: int, seed: int) -> str:
    """Kept edits and runs per edit for one rule and one kind of real edit."""
    clock, kept, runs = Clock(), 0, 0
    for trial in range(trials):
        retained, judged = clock.measure(1.0, "as it was"), rule()
        judged.start(retained)
        before = clock.runs
        kept += judged.trial(clock.measure(share, f"edit {trial}"), retained, seed + trial) is not None
        runs += clock.runs - before
    return f"{kept} of {trials} | {runs / trials:.1f}"


def real_table(seed: int) -> str:
    """The recorded file of the real metric."""
    samples = [Decimal(repr(Clock().measure(1.0, "as it was")())) for _ in range(20)]
    cal = calibrate(samples, [], BUDGET.max_runs, BUDGET.alpha)
    lines = [
        f"| {edit} | {rule.name} | {real_row(rule, share, trials, seed)} |\n"
        for edit, (share, trials) in REAL_EDITS.items()
        for rule in RULES
    ]
    spread, least = (100 * gain / cal.center for gain in (cal.spread, cal.smallest_detectable))
    return f"""# Decision rules on a real timing

`python3 tests/benchmarks/decision_rules.py --real`: a small Python loop, timed in a new interpreter each run;
no two machines agree on these figures. Here {len(samples)} runs had a median of {cal.center:.3f} ms and a
spread of {spread:.1f} % of it; the smallest detectable gain was {least:.1f} %.

{header(["edit", "rule", "kept", "runs per edit"])}
""" + "".join(lines)


def main() -> None:
    """Measure, write the file, print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1000, help="edits per cell (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the simulated noise (default 1)")
    parser.add_argument("--real", action="store_true", help="judge a real timing instead")
    args = parser.parse_args()
    text = real_table(args.seed) if args.real else table(args.trials, args.seed)
    name = "decision_rules_real.md" if args.real else "decision_rules.md"
    (HERE / name).write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
