# ruff: noqa: E501 - the head of the table is one line
"""What salvage, retry, pairs, prune and side lines are worth: `search.py [--orders N] [--seed S] [--jobs N]`.

A scripted proposer plays the recorded patches of `search_patches.json` (real edits of four real programs, their true
effects measured by exact counts) in seeded orders. A trial under noise is drawn from outcomes of the real rule for that
effect; what is retried, paired, salvaged or gone back to is chosen by the product's own code. All policies get the same minutes,
thinking counted: those that forty greedy trials take. Writes search.md beside itself.
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import random
import sys
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from statistics import fmean

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "scripts"))

from autoresearch.kernel.core.choices import HAND_OVER_AT, PIVOT_AT  # noqa: E402
from autoresearch.lines.choosing import Earlier, ordered  # noqa: E402
from autoresearch.lines.steps import LENGTH  # noqa: E402
from autoresearch.noise.equivalence import SPREADS  # noqa: E402
from autoresearch.noise.sequential import NoiseRule, judge, order  # noqa: E402
from autoresearch.salvage.chance import MOST as PARTS  # noqa: E402
from autoresearch.salvage.delta import Search  # noqa: E402
from autoresearch.salvage.second_look import TRIALS as PRICES  # noqa: E402
from autoresearch.salvage.stake import Stake, Yield  # noqa: E402
from autoresearch.search import candidates  # noqa: E402
from autoresearch.search.candidates import Stored  # noqa: E402
from autoresearch.search.offers import RATIO  # noqa: E402
from autoresearch.search.retry import SHARE  # noqa: E402

TRIALS = 40
A_KEEP = 3  # tries after a keep
GUARD = 1.0  # runs of the check that the guard of a would-be keep is as long as
RULE = NoiseRule(direction="lower")
STEP, DRAWS, WIDEST = 0.25, 60, 12.0
DETECTABLE = 1.5  # spreads; what one trial of forty runs finds four times of five
NOISES = {"exact": 0.0, "1 %": 0.01, "3 %": 0.03}
RATIOS = (10.0, 5.0, 3.0, 2.0, 1.0)
GUARD_FAILS, NOTHING = 0.15, 0.3


@dataclass(frozen=True)
class Patch:
    """One recorded edit: the share of the cost that it takes away, its file, and what it cannot stand beside.

    `bad` is a hunk that the guard refuses, beside `hunks` - 1 good ones; -1 where there is none.
    """

    name: str
    effect: float
    path: str
    conflicts: frozenset[str] = frozenset()
    hunks: int = 1
    bad: int = -1


@dataclass(frozen=True)
class Outcome:
    """One judged trial: kept or not, runs of the check, the estimate and the interval's best end, in spreads."""

    kept: bool
    runs: int
    estimate: float
    reach: float


@functools.cache
def outcomes(step: int) -> tuple[Outcome, ...]:
    """Outcomes of the real rule for an effect of `step` grid steps of a spread."""
    dice = random.Random(f"effect {step}")
    return tuple(_judged(step * STEP, dice) for _ in range(DRAWS))


def _judged(effect: float, dice: random.Random) -> Outcome:
    pairs: list[tuple[Decimal, Decimal]] = []
    while True:
        order(dice.getrandbits(60), len(pairs) + 1)
        pairs.append((_value(-effect + dice.gauss(0, 1)), _value(dice.gauss(0, 1))))
        verdict = judge(pairs, RULE)
        if verdict.action != "more":
            estimate = float(verdict.estimate or 0)
            reach = float(verdict.interval[1]) if verdict.interval else estimate
            return Outcome(verdict.action == "keep", 2 * len(pairs), estimate, reach)


def _value(number: float) -> Decimal:
    return Decimal(f"{number:.6f}")


@dataclass
class Line:
    """A side line: what the main one retains, what was retained where it began, and its trials so far."""

    main: list[str]
    start: int
    trials: int = 0


@dataclass
class World:
    """One run of one policy: what is retained, what is stored, and the minutes used."""

    patches: dict[str, Patch]
    noise: float
    thought: float  # seconds before each proposed trial, where one run of the check takes one second
    dice: random.Random
    policy: str
    limit: float = float("inf")  # seconds after which nothing is kept
    kept: list[str] = field(default_factory=list)
    stored: dict[int, tuple[str, ...]] = field(default_factory=dict)
    facts: dict[int, Stored] = field(default_factory=dict)
    tried: set[tuple[int, ...]] = field(default_factory=set)
    seconds: float = 0.0
    measuring: float = 0.0
    own: float = 0.0
    gains: list[float] = field(default_factory=list)  # as they were estimated
    trials: int = 0
    false: int = 0
    ground: int = 0
    since: list[str] = field(default_factory=list)  # proposals since the last keep
    line: Line | None = None
    starts: set[int] = field(default_factory=set)  # states that had a line

    def uses(self, name: str) -> bool:
        """Whether the policy has a mechanism."""
        return self.policy == name or (self.policy == "all" and name in ALL)

    def cost(self, names: list[str]) -> float:
        """True cost of a state, 1 at the baseline."""
        left = 1.0
        for name in names:
            patch = self.patches[name]
            left *= 1 - patch.effect
        return left

    def gain(self) -> float:
        """The true share of the baseline's cost that is gone."""
        return 1 - self.cost(self.kept)

    def measure(self, new: list[str], own: bool, guard: float = GUARD) -> Outcome:
        """Judge the state with `new` kept too, and pay for it and for the guard where it would be kept."""
        effect = 1 - self.cost([*self.kept, *new]) / self.cost(self.kept)
        if not self.noise:
            found = Outcome(effect > 1e-12, 1, effect, effect)
        else:
            step = round(max(-WIDEST, min(WIDEST, effect / self.noise)) / STEP)
            drawn = self.dice.choice(outcomes(step))
            found = Outcome(drawn.kept, drawn.runs, drawn.estimate * self.noise, drawn.reach * self.noise)
        self.pay(found.runs + (guard if found.kept else 0.0), own)
        self.trials += 1
        self.false += found.kept and effect <= 1e-12
        return found

    @property
    def price(self) -> float:
        """Seconds of one experiment, the thought before it included."""
        return self.thought + self.measuring / max(1, self.trials)

    def keep(self, names: tuple[str, ...], number: int, gain: float) -> None:
        """Retain these, at the proposal with this number; what comes after the minutes does not count."""
        if self.seconds > self.limit:
            return
        self.kept += names
        self.ground = number
        self.gains.append(gain)

    def pay(self, runs: float, own: bool) -> None:
        """Seconds of measuring; the tool's own are part of them."""
        self.seconds += runs
        self.measuring += runs
        self.own += runs if own else 0

    def fits(self, names: tuple[str, ...]) -> bool:
        """Whether these apply to what is retained."""
        both = set(self.kept) | set(names)
        return not any(self.patches[name].conflicts & (both - {name}) for name in names) and not set(names) & set(
            self.kept
        )


ALL: tuple[str, ...] = ("salvage", "retry", "pairs", "prune", "lines")
DEFAULT = "salvage"  # what is on unless something else was agreed


def play(world: World, names: list[str], seconds: float) -> float:
    """Propose in this order until the minutes are over; returns the true gain."""
    world.limit = seconds
    weighing = (1.0 if not world.noise else 9.0) * 2 if world.uses("prune") else 0.0
    for number, name in enumerate(names, 1):
        if world.seconds + world.thought + weighing * len(world.kept) >= seconds:
            break
        world.seconds += world.thought
        world.since.append(name)
        if world.fits((name,)):
            _trial(world, number, (name,), own=False)
            _again(world, number, seconds)
        if world.ground == number:
            world.since = []
        if world.uses("lines"):
            _lines(world, number)
    if world.line:
        _settle(world, len(names) + 1)
    if world.uses("prune"):
        _prune(world)
    return world.gain()


def _prune(world: World) -> None:
    """Each kept patch weighed against the final state; one that costs less than the margin goes."""
    for name in list(world.kept):
        rest = [other for other in world.kept if other != name]
        cost = 1 - world.cost(world.kept) / world.cost(rest)
        if not world.noise:
            world.pay(2, own=True)
            gone = cost <= 1e-12
        else:
            step = round(max(-WIDEST, min(WIDEST, SPREADS - cost / world.noise)) / STEP)
            drawn = world.dice.choice(outcomes(step))
            world.pay(drawn.runs, own=True)
            gone = drawn.kept
        if gone:
            world.kept = rest


def _lines(world: World, number: int) -> None:
    """Begin a side line after three pivots' worth of proposals, end one that has grown."""
    if world.line:
        world.line.trials += 1
        if world.line.trials >= LENGTH or len(world.since) >= PIVOT_AT:
            _settle(world, number)
    elif len(world.since) >= PIVOT_AT * HAND_OVER_AT:
        paths = [world.patches[name].path for name in world.kept]
        states = [
            Earlier(at, Decimal(f"{world.cost(world.kept[:at]):.9f}"), frozenset(paths[at:]))
            for at in range(len(world.kept))
            if at not in world.starts
        ]
        best = ordered(states, frozenset(world.patches[name].path for name in world.since), "lower")
        if best:
            world.pay(1.0 if not world.noise else 9.0, own=True)
            world.line = Line(world.kept, best[0].iteration)
            world.starts.add(best[0].iteration)
            world.kept, world.since, world.ground = world.kept[: best[0].iteration], [], number


def _settle(world: World, number: int) -> None:
    """Adopt the tip of a line that is better than the main one, else try what it kept there."""
    assert world.line is not None
    main, tip, new = world.line.main, world.kept, world.kept[world.line.start :]
    world.line, world.since, world.kept = None, [], main
    if not new:
        return
    effect = 1 - world.cost(tip) / world.cost(main)
    if not world.noise:
        world.pay(1, own=True)
        better = effect > 1e-12
    else:
        drawn = world.dice.choice(outcomes(round(max(-WIDEST, min(WIDEST, effect / world.noise)) / STEP)))
        world.pay(drawn.runs, own=True)
        better = drawn.kept
    if better and world.seconds <= world.limit:
        world.kept, world.ground = tip, number
        return
    fitting = [name for name in new if world.fits((name,))]
    for names in [tuple(fitting), *((name,) for name in (fitting if len(fitting) > 1 else []))][:3]:
        if names and world.fits(names) and _trial(world, number, names, own=True):
            return


def _trial(world: World, number: int, names: tuple[str, ...], own: bool) -> bool:
    bad = [name for name in names if world.patches[name].bad >= 0]
    found = world.measure(list(names), own)
    if found.kept and not bad:
        world.keep(names, number, found.estimate)
        return True
    if found.kept and bad and world.uses("salvage") and not own and _salvaged(world, names[0], number, found):
        return True
    if not own:
        paths = frozenset(world.patches[name].path for name in names)
        failed = "guard" if found.kept else "metric"
        world.stored[number] = names
        world.facts[number] = Stored(number, found.estimate, found.reach, failed, paths, world.ground)
    return False


def _salvaged(world: World, name: str, number: int, whole: Outcome) -> bool:
    """Whether a part of an edit that its guard refused is kept: the tests are runs of the guard, then it is judged."""
    patch = world.patches[name]
    last = float(whole.runs)  # the guard has passed on the part by then
    pace = Yield(world.trials, world.gains, world.price)
    stake = Stake(pace.seconds(whole.estimate), GUARD, last)
    if not stake.begins():
        return False
    most = min(PARTS, int((PRICES * world.price - last) / GUARD))
    search = Search(range(patch.hunks), lambda stay: patch.bad not in stay, most, stake.pays)
    search.smallest([[hunk] for hunk in range(patch.hunks)])
    world.pay(search.tests * GUARD, own=False)
    if search.best is None or len(search.best) >= patch.hunks:
        return False
    share = (patch.hunks - len(search.best)) / (patch.hunks - 1)  # of the good ones that stay
    world.patches[name] = replace(patch, effect=patch.effect * share)
    found = world.measure([name], own=False, guard=0.0)
    if found.kept:
        world.keep((name,), number, found.estimate)
    else:
        world.patches[name] = patch
    return found.kept


def _again(world: World, number: int, seconds: float) -> None:
    """The tool's own trials after a keep, as the product chooses them."""
    if world.ground != number or (
        world.policy == "all" and world.thought / max(1.0, world.measuring / world.trials) < RATIO
    ):
        return
    for _ in range(A_KEEP):
        choice = _choice(world, number)
        if choice is None or world.seconds >= seconds or not candidates.affordable(world.own, world.measuring, SHARE):
            return
        world.tried.add(choice)
        names = tuple(name for item in choice for name in world.stored[item])
        if not world.fits(names):
            continue
        kept = _trial(world, number, names, own=True)
        for item in choice:
            old = world.facts[item]
            if kept:
                del world.facts[item]
            elif len(choice) == 1:
                world.facts[item] = Stored(
                    old.iteration, old.gain, old.reach, old.failed, old.paths, number, old.tries + 1
                )


def _choice(world: World, number: int) -> tuple[int, ...] | None:
    known = list(world.facts.values())
    found = candidates.singles(known, number, 0.0) if world.uses("retry") else []
    if world.uses("pairs") and world.noise:
        found += candidates.pairs(known, world.tried, DETECTABLE * world.noise)
    found.sort(key=lambda choice: -choice.hope)
    numbers = (tuple(map(int, choice.iterations)) for choice in found)
    return next((choice for choice in numbers if choice not in world.tried), None)


def pool(dice: random.Random) -> dict[str, Patch]:
    """The recorded patches, each with a twin that holds a bad hunk now and then, and edits that do nothing."""
    rows = json.loads((HERE / "search_patches.json").read_text(encoding="utf-8"))
    rows = [row for row in rows if row["path"] not in ("measure.py", "README.md")]  # the evaluator, and no code
    found: dict[str, Patch] = {}
    for row in rows:
        name = f"{row['program']}: {row['name']}"
        conflicts = frozenset(f"{row['program']}: {other}" for other in row["conflicts"])
        bad = -1
        hunks = 1
        if row["fails"]:
            hunks, bad = 1, 0
        elif dice.random() < GUARD_FAILS:
            hunks = dice.randint(2, 12)
            bad = dice.randrange(hunks)
        found[name] = Patch(name, row["effect"], f"{row['program']}/{row['path']}", conflicts, hunks=hunks, bad=bad)
    for number in range(round(NOTHING * len(found))):
        found[f"nothing {number}"] = Patch(f"nothing {number}", 0.0, f"other/{number}")
    return found


def order_of(seed: int, policy: str, noise: float, ratio: float, seconds: float) -> tuple[World, float]:
    """One run in one seeded order; every policy meets the same order and the same bad hunks."""
    dice = random.Random(seed)
    patches = pool(dice)
    names = list(patches)
    dice.shuffle(names)
    world = World(patches, noise, ratio * usual(noise), random.Random(seed + 1), policy)
    return world, play(world, names, seconds)


@functools.cache
def usual(noise: float) -> float:
    """Seconds of measuring that a greedy trial takes on average, its guard included."""
    worlds = []
    for seed in range(-40, 0):
        dice = random.Random(seed)
        patches = pool(dice)
        names = list(patches)
        dice.shuffle(names)
        worlds.append(World(patches, noise, 0.0, dice, "greedy"))
        play(worlds[-1], names[:TRIALS], float("inf"))
    return sum(world.measuring for world in worlds) / sum(world.trials for world in worlds)


def minutes(noise: float, ratio: float) -> float:
    """Seconds in which greedy makes about forty trials, thinking counted."""
    return TRIALS * usual(noise) * (ratio + 1)


def row(cell: tuple[str, float, int, int]) -> str:
    """The gain of each policy beside greedy's, at one noise and ratio; last the false keeps a trial."""
    name, ratio, orders, seed = cell
    noise = NOISES[name]
    seconds = minutes(noise, ratio)
    played = {p: [order_of(seed + n, p, noise, ratio, seconds) for n in range(orders)] for p in SHOWN}
    gains = {policy: fmean(gain for _, gain in found) for policy, found in played.items()}
    worlds = [world for world, _ in played[DEFAULT]]
    false = sum(world.false for world in worlds) / sum(world.trials for world in worlds)
    base = gains["greedy"]
    cells = [f"{base:.1%}", *(f"{gains[policy] / base - 1:+.1%}" for policy in SHOWN[1:]), f"{false:.1%}"]
    return f"| {name} | {ratio:g}:1 | {' | '.join(cells)} |".replace("%", " %").replace("  %", " %")


def table(orders: int, seed: int, jobs: int) -> list[str]:
    """All rows; each has orders of its own."""
    cells = [(name, ratio) for name in NOISES for ratio in RATIOS]
    asked = [(name, ratio, orders, seed + number * orders) for number, (name, ratio) in enumerate(cells)]
    lines = []
    with multiprocessing.Pool(jobs) as pool:
        for line in pool.imap(row, asked):
            lines.append(line)
            print(line, flush=True)
    return lines


SHOWN = ("greedy", "salvage", "retry", "pairs", "prune", "lines", "all")
HEAD = """# A bench of search

`python3 tests/benchmarks/search.py --orders {orders} --seed {seed}`: {plays:,} seeded orders, {orders} for each line, each
played by every column. The rules were tuned on other seeds (from 5,000,000 on). {count} recorded edits of four programs
(the demo's, tabulate 0.9.0, sqlparse 0.5.1, acorn 8.19.0 for Node; `search_patches.json`, measured by exact counts) and
{nothing} that do nothing; {bad:.0%} of the good ones carry one hunk that the guard refuses among 2 to 12; salvaged, it is
worth the share of the good ones that stays. The guard takes as long as one run of the check, and every would-be keep pays
it, under greedy too; a salvaged part is judged again, under noise in turns. The minutes are those of forty greedy trials,
thinking counted; what would be kept after them does not count. The ratio is that of thought to the measuring of a usual
trial. Greedy's column is the true share of the cost that it takes away; the others are relative to it. Noise is one spread
as a share of the cost. The last column: keeps without a true gain, for each trial of the defaults (salvage alone).

Salvage looks for a part where its worth, in the time in which this run's new edits gain as much, is above what that takes,
and stops where the next test would save too little. Before it knew the run's pace, and ran verify with each test of a
part, an exact check that costs as much as the thought left it +2.4 %.

Whether an edit passes its guard does not depend on the ground here, and an edit is worth as much on any ground, so that what
retry and side lines live on is not there but for conflicts. Retry, pairs, prune and side lines do not pay at equal minutes,
so they are off unless agreed.

| noise | thought : measuring | greedy | + salvage (default) | + retry | + pairs | + prune | + side lines | all | false keeps |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""


def main(argv: list[str]) -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args(argv)
    patches = pool(random.Random(0))
    nothing = sum(name.startswith("nothing") for name in patches)
    head = HEAD.format(
        orders=args.orders,
        seed=args.seed,
        plays=args.orders * len(NOISES) * len(RATIOS),
        count=len(patches) - nothing,
        nothing=nothing,
        bad=GUARD_FAILS,
    )
    text = head + "\n".join(table(args.orders, args.seed, args.jobs)) + "\n"
    (HERE / "search.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
