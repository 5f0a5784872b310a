"""Machines on which something else works now and then: simulated, with a clock; and rules of other tools on them.

A run takes so many seconds of work. While the neighbour is at work, a run gets a part of the core only, another part in
each run. Time passes with runs, with the pauses between them, and with waiting, so that a rule that waits is judged by
what it does.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import median, stdev
from unittest import mock

from autoresearch.finalize import true_total
from autoresearch.kernel.core import timelimit
from autoresearch.kernel.core.settings import Config
from autoresearch.machine import load
from autoresearch.machine.busy import Load
from autoresearch.noise import calm, outliers, sequential, signrank

from tests.benchmarks import decision_rules as rules
from tests.benchmarks.decision_rules import Measure


@dataclass(frozen=True)
class Neighbour:
    """Seconds at work and away, each times a half to one and a half; `slower` is how many times longer a run takes."""

    on: float
    off: float
    slower: tuple[float, float] = (1.5, 5.0)


NEIGHBOURS = {
    "idle": Neighbour(0, 1),
    "half of the time": Neighbour(10, 10),
    "bursts of a second": Neighbour(1, 4),
    "always": Neighbour(1, 0),
}


@dataclass
class Clocked:
    """A machine with a clock: `base` seconds a run without an edit, `spread` of it, `pause` seconds between runs."""

    dice: random.Random
    neighbour: Neighbour
    base: float = 0.3
    spread: float = 0.02
    pause: float = 0.08
    now: float = 0.0
    runs: int = 0
    at_work: bool = False
    until: float = 0.0
    seconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        whole = self.neighbour.on + self.neighbour.off
        self.at_work = self.dice.random() < self.neighbour.on / whole
        self.until = self._length() * self.dice.random()

    def _length(self) -> float:
        usual = self.neighbour.on if self.at_work else self.neighbour.off
        return usual * self.dice.uniform(0.5, 1.5) if self.neighbour.on and self.neighbour.off else math.inf

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        while self.now >= self.until:
            self.at_work = not self.at_work
            self.until += self._length()

    def contended(self) -> bool:
        """Whether the neighbour is at work now."""
        return self.at_work

    def measure(self, share: float) -> Measure:
        """A run of code that has this share of the work."""

        def run() -> float:
            self.sleep(self.pause)
            work = self.base * share * max(0.5, self.dice.gauss(1, self.spread))
            rate, begun = 1 / self.dice.uniform(*self.neighbour.slower), self.now
            while work > 1e-9:
                speed = rate if self.at_work else 1.0
                step = min(work / speed, self.until - self.now + 1e-9)
                work -= step * speed
                self.sleep(step)
            self.runs += 1
            return self.now - begun

        return run

    def told(self, rule: sequential.NoiseRule, share: float) -> float:
        """The gain as a share of the baseline that the tool tells after measuring both ends in turns."""
        config = Config(noise={"kind": "noisy", "spread": rule.spread, "samples": ()})
        pairs, patience = list[outliers.Pair](), self.waits()
        for number in range(true_total.PAIRS):
            patience.wait()
            values = {}
            for final in (number % 2 == 0, number % 2 == 1):
                values[final] = Decimal(repr(self.measure(share if final else 1.0)()))
            pairs.append((values[True], values[False]))
        found = true_total.of_pairs(pairs, config)
        return float(found.gain / found.before)

    def waits(self) -> calm.Patience:
        """The patience of a trial on this machine."""
        cores = 2
        crowd = 4.0 * cores * self.neighbour.on / (self.neighbour.on + self.neighbour.off)
        with mock.patch.object(load, "read", lambda: Load(cores, crowd)):
            return calm.Patience(self.contended, self.sleep, lambda: self.now)


class Waiting(rules.Paired):
    """Ours, with the wait for a calm moment, a disturbed baseline run five times, and the limits of time."""

    name = "ours, as it runs"
    lost = False
    level = 1.0  # the middle of the retained runs of the last trial

    def __init__(self, machine: Clocked) -> None:
        self.machine = machine

    def start(self, retained: Measure) -> None:
        """The baseline; five runs where the neighbour was at work and they differ."""
        busy: list[bool] = []

        def run() -> float:
            busy.append(self.machine.at_work)
            return retained()

        values = [run() for _ in range(3)]
        values += [run() for _ in range(2)] if any(busy) else []
        self.calibrated([Decimal(repr(value)) for value in values])
        self.usual = sorted(values)[len(values) // 2]

    def trial(self, candidate: Measure, retained: Measure, seed: int) -> float | None:
        """As `Paired`, waiting before each pair; `lost` says whether a limit of time would have ended it."""
        patience, mine, theirs, count = self.machine.waits(), list[float](), list[float](), [0]

        def counted(run: Measure, times: list[float]) -> Measure:
            def once() -> float:
                if count[0] % 2 == 0:
                    patience.wait()
                count[0] += 1
                times.append(run())
                return times[-1]

            return once

        found = super().trial(counted(candidate, mine), counted(retained, theirs), seed)
        self.level = median(theirs)
        limit = timelimit.limit(None, self.usual)
        self.lost = max(mine) > limit.hard or timelimit.slower(mine, theirs)
        return found


class Labloop(rules.Naive):
    """labloop 1.0.5: one run beats the incumbent by the spread of five runs (`labloop noise`, the safe suggestion)."""

    name = "labloop: one run, beyond the spread of 5"
    threshold = 0.0

    def start(self, retained: Measure) -> None:
        """`labloop noise --repeat 5`, then a baseline of one run."""
        values = [retained() for _ in range(5)]
        self.threshold, self.retained = max(values) - min(values), retained()

    def trial(self, candidate: Measure, retained: Measure, seed: int) -> float | None:
        """`--confirm`: a second run must beat the incumbent too."""
        first = candidate()
        if self.retained - first <= self.threshold:
            return None
        again = candidate()
        return self.keep_beyond(max(first, again), self.threshold)


class LabloopDeviation(Labloop):
    """The same with the permissive suggestion."""

    name = "labloop: one run, beyond the deviation of 5"

    def start(self, retained: Measure) -> None:
        """The standard deviation of the five runs."""
        values = [retained() for _ in range(5)]
        self.threshold, self.retained = stdev(values), retained()


class Hca(rules.Naive):
    """hillclimbanything 0.2.0: 10 blocks of log ratios, at most 20; signed-rank p within 0.01 over two looks.

    The estimate must be half of the useful effect at least, which is 2 % here.
    """

    name = "hillclimbanything: 10 to 20 blocks"
    useful, alpha = -math.log1p(-0.02), 0.01

    def start(self, retained: Measure) -> None:
        """Its noise report decides nothing."""

    def trial(self, candidate: Measure, retained: Measure, seed: int) -> float | None:
        """Each block runs both in random order."""
        dice, scores, times = random.Random(seed), list[Decimal](), list[float]()
        for blocks in (10, 20):
            while len(scores) < blocks:
                first = dice.random() < 0.5
                one = (candidate if first else retained)()
                other = (retained if first else candidate)()
                mine, theirs = (one, other) if first else (other, one)
                times.append(theirs)
                scores.append(Decimal(repr(math.log(theirs / mine))))
            estimate = float(signrank.estimate(scores))
            if signrank.p_value(scores) <= self.alpha / 2 and estimate >= self.useful / 2:
                return median(times) * (1 - math.exp(-estimate))
            if estimate <= 0:
                return None
        return None


OTHERS: Sequence[type[rules.Naive]] = (Labloop, LabloopDeviation, Hca)
