"""Whether a state costs less than a margin beside another, or is alike: the paired rule, moved by the margin.

Non-inferiority by the sequential test of `sequential`: the hypothesis "it costs the margin or more" is the usual "no
gain" once the margin is taken off each of its runs (Schuirmann 1987, J. Pharmacokinet. Biopharm. 15:657, one side).
So an experiment that is worth the margin is called worthless with a probability of alpha at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ..kernel.core import numbers
from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.settings import Config
from ..kernel.run import measure, require
from ..kernel.run.measure import Arms, Bench
from . import outliers, paired, sequential
from .outliers import Pair
from .rule import is_noisy

SPREADS = 2  # of margin under noise, where no smallest gain was agreed: a trial tells that apart nine times of ten


@dataclass(frozen=True)
class Cost:
    """What the candidate state costs beside the other, in metric units (positive is worse), as estimate and interval.

    `none` says that it costs less than the margin; `problem` why there is no number.
    """

    value: Decimal | None = None
    interval: tuple[Decimal, Decimal] | None = None
    none: bool = False
    runs: int = 0
    problem: str = ""


def margin_of(config: Config) -> Decimal:
    """The cost that counts as none, in metric units: the smallest gain worth having; 0 where numbers are exact."""
    if not is_noisy(config):
        return Decimal(0)
    return config.min_delta or SPREADS * Decimal(str(config.noise.get("spread") or 0))


def cost(bench: Bench, arms: Arms, seed: str) -> Cost:
    """Measure the candidate state against the other, in turns where there is noise."""
    return _in_turns(bench, arms, seed) if is_noisy(bench.config) else _exactly(bench, arms)


def alike(config: Config, pairs: Sequence[Pair]) -> tuple[str, str]:
    """Whether one state, measured in two ways (`pairs` of such values), gives the same: keep, discard or more; why.

    Two one-sided tests, each at the error rate of the run: neither way is worse by the margin. Then the first way's
    values must not be much less steady than the second's, for noise that is larger hides gains.
    """
    rule, margin = replace(paired.rule_of(config), min_delta=Decimal(0)), margin_of(config)
    actions = []
    for direction, shift in (("lower", -margin), ("higher", margin)):
        moved = [(numbers.EXACT.add(one, shift), other) for one, other in pairs]
        actions.append(sequential.judge(moved, replace(rule, direction=direction)).action)
    within = f"within {numbers.plain(margin)} of each other after {len(pairs)} pairs of runs"
    if "discard" in actions:
        return "discard", f"not shown to be {within}"
    if "more" in actions:
        return "more", ""
    one, other = (outliers.gini(values) for values in zip(*pairs))
    if one > outliers.UNSTEADY * max(other, float(rule.spread)):
        return "discard", f"{within}, but less steady: spread {one:.3g} beside {max(other, float(rule.spread)):.3g}"
    return "keep", within


def _exactly(bench: Bench, arms: Arms) -> Cost:
    arms.show_candidate()
    mine = measure.verify(bench, "without-1")
    arms.show_retained()
    theirs = measure.verify(bench, "full-1")
    if mine.value is None or theirs.value is None:
        return Cost(runs=2, problem=mine.problem or theirs.problem)
    broken = require.broken(bench.config, mine.others)
    if broken:
        return Cost(runs=2, problem=f"required: {broken}")
    value = -numbers.gain(bench.config.direction, mine.value, theirs.value)
    return Cost(value, (value, value), value <= 0, 2)


def _in_turns(bench: Bench, arms: Arms, seed: str) -> Cost:
    import hashlib

    rule = replace(paired.rule_of(bench.config), min_delta=Decimal(0))
    start = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")
    margin = margin_of(bench.config) * (-1 if bench.config.direction == "lower" else 1)
    pairs: list[tuple[Decimal, Decimal]] = []
    while True:
        values: dict[bool, Decimal] = {}
        first = sequential.order(start, len(pairs) + 1)
        for candidate in (first, not first):
            (arms.show_candidate if candidate else arms.show_retained)()
            name = f"{'without' if candidate else 'full'}-{len(pairs) + 1}"
            sample = measure.verify(bench, name, paired.SAMPLE_OUTPUT)
            if sample.value is None:
                return Cost(runs=2 * len(pairs) + 1, problem=sample.problem)
            values[candidate] = sample.value
        pairs.append((numbers.EXACT.add(values[True], margin), values[False]))
        verdict = sequential.judge(pairs, rule)
        if verdict.action != "more":
            return _said(verdict, margin_of(bench.config), 2 * len(pairs))


def _said(verdict: sequential.PairsVerdict, margin: Decimal, runs: int) -> Cost:
    """The gain over the moved state as a cost: margin minus gain."""
    limits = verdict.interval if verdict.action == "keep" else verdict.span
    ends = limits and sorted(margin - end for end in limits)
    value = None if verdict.estimate is None else margin - verdict.estimate
    return Cost(value, (ends[0], ends[1]) if ends else None, verdict.action == "keep", runs)
