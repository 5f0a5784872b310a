"""A simulation of many workers under one controller, and of what would replace it.

    python -m tests.benchmarks.many [HOURS] [SEED]

Workers think, then their proposal is measured on a node of its own; a share of them gain. Today (`turns`) whoever has
the main tree records, and measures a would-be keep again there, one at a time; the workers go on at once. In the plan
(`queue`) all gains that wait are merged and measured as one, on a node beside the main tree; where that fails it is
halved. The constants were measured: see `crews.py` and docs/scale.md.
"""

from __future__ import annotations

import heapq
import random
import sys
from dataclasses import dataclass, field
from statistics import mean

HOST = 0.75  # CPU seconds of the controller's machine for one proposal: session, propose, settle
RECORD = 0.35  # seconds that a row takes of the main tree: commit, undo, log
CORES = 2
FAILS = 0.2  # of merged groups: two gains that are none together, or conflict


@dataclass
class World:
    """What a run is like: seconds to think and to measure, and the share of proposals that gain."""

    workers: int
    think: float
    measure: float
    gains: float
    way: str = "turns"


@dataclass
class Tally:
    """What came of it."""

    rows: int = 0
    waits: list[float] = field(default_factory=list)  # of gains, from measured to kept
    behind: list[int] = field(default_factory=list)  # keeps in between: how old the state was that a gain met
    busy: float = 0.0  # seconds that the main tree was in use


class Simulation:
    """One run, event by event."""

    def __init__(self, world: World, draw: random.Random) -> None:
        """All workers begin to think."""
        self.world, self.draw, self.tally = world, draw, Tally()
        self.now, self.keeps, self.cores = 0.0, 0, [0.0] * CORES
        self.free = 0.0  # when the main tree is free again
        self.shelf = 0
        self.waiting: list[tuple[float, int, int]] = []  # gains: since when, worker, keeps when it was begun
        self.events: list[tuple[float, int, str, int, int]] = []
        for worker in range(world.workers):
            self._at(self._around(world.think), "thought", worker)

    def _around(self, seconds: float) -> float:
        return seconds * self.draw.uniform(0.7, 1.3)

    def _at(self, after: float, what: str, worker: int, known: int = 0) -> None:
        heapq.heappush(self.events, (self.now + after, self.draw.getrandbits(32), what, worker, known))

    def run(self, seconds: float) -> Tally:
        """So long."""
        while self.events[0][0] < seconds:
            self.now, _, what, worker, known = heapq.heappop(self.events)
            getattr(self, f"_{what}")(worker, known)
            self._turn()
        return self.tally

    def _thought(self, worker: int, _: int) -> None:
        first = min(range(CORES), key=self.cores.__getitem__)
        self.cores[first] = max(self.now, self.cores[first]) + HOST
        self._at(self.cores[first] - self.now + self._around(self.world.measure), "measured", worker, self.keeps)

    def _measured(self, worker: int, known: int) -> None:
        if self.draw.random() < self.world.gains:
            self.waiting.append((self.now, worker, known))
        else:
            self.shelf += 1
        self._at(self._around(self.world.think), "thought", worker)

    def _kept(self, _: int, __: int) -> None:
        self.keeps += 1

    def _freed(self, _: int, __: int) -> None:
        """The main tree is free: `_turn` sees to it."""

    def _turn(self) -> None:
        """Give the main tree to the rows that wait, then to a gain, where it is free."""
        if self.now < self.free or not (self.shelf or self.waiting):
            return
        took, self.tally.rows, self.shelf = RECORD * self.shelf, self.tally.rows + self.shelf, 0
        count = len(self.waiting) if self.world.way == "queue" else min(1, len(self.waiting))
        group, self.waiting = self.waiting[:count], self.waiting[count:]
        if group:
            took += RECORD * count + self.world.measure * self._runs(count)
        for since, worker, known in group:
            self.tally.rows += 1
            self.tally.waits.append(self.now + took - since)
            self.tally.behind.append(self.keeps - known)
            self._at(took, "kept", worker)
        self.tally.busy += took
        self.free = self.now + took
        self._at(took, "freed", 0)

    def _runs(self, count: int) -> int:
        """Measurements that a group costs: one, and two more for each halving of one that failed."""
        if count == 1 or self.draw.random() > FAILS:
            return 1
        half = count // 2
        return 1 + self._runs(half) + self._runs(count - half)


def line(world: World, hours: float, seed: int) -> str:
    """A row of the table."""
    told = Simulation(world, random.Random(seed)).run(hours * 3600)
    wait = mean(told.waits) / 60 if told.waits else 0.0
    behind = mean(told.behind) if told.behind else 0.0
    used = min(100.0, 100 * told.busy / hours / 3600)
    shares = f"{told.rows / hours:.0f} | {used:.0f} % | {wait:.1f} | {behind:.1f}"
    return f"| {world.think:.0f} / {world.measure:.0f} | {world.workers} | {world.way} | {shares} |"


def main(hours: float, seed: int) -> None:
    """Print the table."""
    names = (
        "think / measure (s)",
        "workers",
        "way",
        "rows an hour",
        "tree in use",
        "a gain waits (min)",
        "keeps missed",
    )
    print(f"| {' | '.join(names)} |")
    print("|---|---|---|---|---|---|---|")
    for think, measure in ((30, 10), (60, 600)):
        for workers in (1, 3, 10, 30, 100, 300):
            for way in ("turns", "queue") if workers >= 30 else ("turns",):
                print(line(World(workers, think, measure, 0.05, way), hours, seed), flush=True)


if __name__ == "__main__":
    main(float((sys.argv[1:] or ["12"])[0]), int((sys.argv[2:] or ["1"])[0]))
