"""The sequential paired rule for noisy metrics: keep, discard, or run one more pair.

Candidate and retained are run in pairs, in an order drawn by a fair coin for each pair (`order`). If
the edit does nothing, swapping the two runs of a pair changes nothing, so given the sizes of the
differences each sign is a fair coin, whatever the noise: heavy-tailed, lopsided, bimodal, drifting.
The signed-rank test (Wilcoxon 1945, Biometrics Bulletin 1:80) counted over exactly those coins is
therefore exact, ties and zero differences included.

A keep may be declared at a few fixed looks (Pocock 1977, Biometrika 64:191; O'Brien & Fleming 1979,
Biometrics 35:549). The error budget alpha is split over them by the Pocock-type spending function of
Lan & DeMets (1983, Biometrika 70:659), and the shares add up to alpha at most, so by the union bound
an edit that does nothing is kept with probability alpha at most. The futility looks, at nearly every
pair, only ever discard: they lower that probability and are no part of the argument.

Before each test, pairs that something else disturbed are set aside (`outliers`): that depends on every
pair as an unordered set, so the coins stay fair, given everything else. A look falls on the first pair
at which that many are counted, the last one on the last pair: both are given by the unordered sets too,
and each level is spent once.

The gain is estimated by the median of the pairwise means (Hodges & Lehmann 1963, Ann. Math. Stat.
34:598), its interval by inverting the same test at the look's own level (repeated confidence
intervals, Jennison & Turnbull 1984, Controlled Clinical Trials 5:33), which allows for the looks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.numbers import EXACT, gain, plain
from . import outliers, signrank
from .outliers import Pair

MAX_RUNS = 40  # of both arms, unless asked otherwise
LOOK_GROWTH = 1.35  # each look has about a third more pairs than the one before
FUTILITY_START = 0.5  # first futility look: the larger of two differences must point the right way
FUTILITY_REACH = 0.8  # share of the cap at which the futility limit has come down to alpha
FEW = 4  # counted pairs; fewer decide nothing where the runs are less steady than at the baseline
NORMAL_80 = 1.2816  # normal quantile: a central interval of 80 %, so 90 % on either side
NO_GAIN, UNDECIDED = "no gain", "undecided"


@dataclass(frozen=True)
class NoiseRule:
    """What a noisy trial is judged by.

    `direction` is "lower" or "higher" (which way the metric improves), `alpha` the highest probability
    of keeping an edit whose gain is at most `min_delta` (metric units, >= 0), `max_runs` the cap on
    runs of candidate and retained together. `spread` is the calibrated one of a single run, `steady` the
    same without one disturbed run (0: unknown, nothing is set aside), `worth` the gain that must be
    excluded before a discard says "no gain", `patient` the pairs before which nothing is called hopeless.
    Raises Refusal on values outside these ranges.
    """

    direction: str
    alpha: float = 0.05
    max_runs: int = MAX_RUNS
    min_delta: Decimal = Decimal(0)
    spread: Decimal = Decimal(0)
    steady: Decimal = Decimal(0)
    worth: Decimal = Decimal(0)
    patient: int = 0

    @property
    def max_pairs(self) -> int:
        """The cap on pairs, those set aside included."""
        return self.max_runs // 2

    def __post_init__(self) -> None:
        if self.direction not in ("lower", "higher"):
            raise Refusal(f"direction is {self.direction!r}: expected lower or higher")
        if not 0.0001 <= self.alpha <= 0.4999:
            raise Refusal(f"--alpha is {self.alpha}: expected 0.0001 to 0.4999, such as 0.05")
        if not 2 <= self.max_runs <= 400:
            raise Refusal(f"--max-runs is {self.max_runs}: expected 2 to 400, such as 40")
        if not self.min_delta >= 0:
            raise Refusal(f"--min-delta is {self.min_delta}: expected 0 or more, in metric units")


@dataclass(frozen=True)
class PairsVerdict:
    """What the pairs say so far.

    `action` is "more", "keep" or "discard"; `estimate` the Hodges-Lehmann gain (metric units, positive
    is better; None without pairs); `interval` its limits, simultaneous over the looks (None away from
    a look); `p` the one-sided signed-rank p at the deciding pair, not adjusted for the looks; `looks`
    the number of keep looks used. `outcome` says of a discard whether a gain worth having is excluded
    ("no gain") or not ("undecided"), else it is ""; `span` are the limits that this was read from, of a
    normal approximation at 80 %; `aside` counts the pairs that were set aside.
    """

    action: str
    reason: str
    estimate: Decimal | None
    interval: tuple[Decimal, Decimal] | None
    p: float | None
    looks: int
    outcome: str = ""
    span: tuple[Decimal, Decimal] | None = None
    aside: int = 0


def judge(pairs: Sequence[Pair], rule: NoiseRule) -> PairsVerdict:
    """Decide on `(candidate, retained)` pairs in the order they were run.

    The first pair at which a bound is crossed decides, and pairs after it are ignored: judging again
    after an interruption gives the same answer.
    """
    action, p, most = "more", None, 0
    used, kept = list(pairs), list(pairs)
    for n in range(1, len(pairs) + 1):
        used, kept = list(pairs[:n]), outliers.counted(_shifted(pairs[:n], rule), rule.steady)
        if len(kept) > most or n >= rule.max_pairs:
            action, p = _step(kept, used, most, rule)
        most = max(most, len(kept))
        if action != "more":
            break
    return _verdict(action, p, kept, used, rule)


def _shifted(pairs: Sequence[Pair], rule: NoiseRule) -> list[Pair]:
    """The pairs with the candidate worse by `min_delta`: under the hypothesis to be refuted its two runs are alike."""
    if not rule.min_delta:
        return list(pairs)
    shift = rule.min_delta if rule.direction == "lower" else -rule.min_delta
    return [(EXACT.add(candidate, shift), retained) for candidate, retained in pairs]


def order(seed: int, pair: int) -> bool:
    """Whether the candidate runs first in this pair: a fair coin fixed by seed and pair number.

    The finaliser of splitmix64 (Steele, Lea & Flood 2014, OOPSLA), applied twice so that neighbouring
    seeds and pairs have nothing in common.
    """
    return bool(_mix(_mix(seed) + pair) >> 63)


def least_runs(alpha: float) -> int:
    """Return the fewest runs (both arms) with which a keep is possible: all signs alike within alpha."""
    return 2 * math.ceil(math.log2(1 / alpha))


def detectable_spreads(alpha: float, max_runs: int) -> float:
    """Return the true gain, in spreads of a single run, that normal noise leaves an 80 % chance of a keep.

    A curve fitted to the simulated power of this rule: within a fifth for 10 to 200 runs and alpha
    from 0.01 to 0.1.
    """
    return (6.3 + 0.6 * math.log2(1 / alpha)) / math.sqrt(max_runs)


@lru_cache(maxsize=32)
def keep_levels(alpha: float, max_pairs: int) -> dict[int, float]:
    """Return {pairs at the look: largest p that keeps}; the levels add up to alpha at most.

    Each level is one the untied signed-rank distribution attains; what a look cannot use of its
    share is handed to the next. Empty when the cap is too low for any keep.
    """
    levels: dict[int, float] = {}
    for n in _looks(alpha, max_pairs):
        level = signrank.attainable(n, _spent(alpha, n / max_pairs) - sum(levels.values()))
        if level:
            levels[n] = level
    return levels


def futility_limit(n: int, alpha: float, max_pairs: int) -> float:
    """Return the p above which `n` pairs are hopeless.

    It falls geometrically from one half to alpha. All signs pointing the right way is never hopeless.
    """
    first = max(2, max_pairs // 10)
    if n < first:
        return 1.0
    share = (n - first) / max(1.0, FUTILITY_REACH * (max_pairs - first))
    curve = FUTILITY_START * math.pow(alpha / FUTILITY_START, min(1.0, share))
    return max(curve, math.pow(2, 1 - n))


def _step(kept: Sequence[Pair], used: Sequence[Pair], most: int, rule: NoiseRule) -> tuple[str, float]:
    """The action at the last of the pairs `used`, and its p; `kept` are the counted ones, `most` counted before."""
    excess, last = _gains(kept, rule), len(used) >= rule.max_pairs
    p = signrank.p_value(excess)
    # The estimate can be nil in spite of a small p where most differences are zero.
    if p <= _level(most, len(kept), last, rule) and signrank.estimate(excess) > 0:
        return "keep", p
    if last:
        return "discard", p
    hopeless = p > futility_limit(len(kept), rule.alpha, rule.max_pairs)
    return ("discard" if hopeless and not _too_early(kept, used, rule) else "more"), p


def _level(most: int, now: int, last: bool, rule: NoiseRule) -> float:
    """The largest p that keeps here: that of the looks passed since `most` pairs were counted, else 0."""
    levels = keep_levels(rule.alpha, rule.max_pairs)
    passed = [level for look, level in levels.items() if most < look <= now]
    return max([*passed, levels.get(rule.max_pairs, 0.0) if last else 0.0])


def _too_early(kept: Sequence[Pair], used: Sequence[Pair], rule: NoiseRule) -> bool:
    """Whether runs are so cheap or so unsteady that no candidate is hopeless yet; this can only put a discard off."""
    limit = outliers.UNSTEADY * float(rule.spread)
    if len(used) < rule.patient:
        return True
    if rule.spread and len(kept) < FEW and outliers.seen_spread(kept) > limit:
        return True
    return outliers.promising(used, rule.direction, rule.steady, rule.min_delta)


def _gains(pairs: Sequence[Pair], rule: NoiseRule) -> list[Decimal]:
    return [gain(rule.direction, candidate, retained) for candidate, retained in pairs]


def _verdict(action: str, p: float | None, kept: list[Pair], used: list[Pair], rule: NoiseRule) -> PairsVerdict:
    n, levels = len(kept), keep_levels(rule.alpha, rule.max_pairs)
    gains = [EXACT.add(value, rule.min_delta) for value in _gains(kept, rule)]
    estimate = signrank.estimate(gains) if gains else None
    span = _span(kept, estimate, rule) if estimate is not None else None
    outcome = ""
    if action == "discard":
        outcome = NO_GAIN if span is None or span[1] < max(rule.worth, rule.min_delta) else UNDECIDED
    verdict = PairsVerdict(
        action=action,
        reason="",
        estimate=estimate,
        interval=signrank.interval(gains, levels[n]) if n in levels else None,
        p=p,
        looks=sum(1 for look in levels if look <= n),
        outcome=outcome,
        span=span,
        aside=len(used) - n,
    )
    return replace(verdict, reason=_reason(verdict, n, rule))


def _span(kept: Sequence[Pair], estimate: Decimal, rule: NoiseRule) -> tuple[Decimal, Decimal]:
    """The gain within 80 %, for noise that is normal with the larger of the calibrated spread and the one seen."""
    spread = max(float(rule.spread), outliers.seen_spread(kept))
    reach = Decimal(f"{NORMAL_80 * spread * math.sqrt(2 / len(kept)):.3g}")
    return EXACT.subtract(estimate, reach), EXACT.add(estimate, reach)


def _reason(verdict: PairsVerdict, n: int, rule: NoiseRule) -> str:
    if verdict.p is None:
        return "no pairs yet"
    wanted = f"a gain above {rule.min_delta}" if rule.min_delta else "a gain"
    aside = f" and {verdict.aside} set aside as disturbed" if verdict.aside else ""
    seen = f"{n} {'pair' if n == 1 else 'pairs'} of runs{aside} (signed-rank p {verdict.p:.3g})"
    if verdict.action == "keep":
        return f"{wanted} is shown by {seen} within the error rate {rule.alpha:g}"
    if verdict.action == "more":
        return f"{wanted} is still open after {seen}"
    if n + verdict.aside >= rule.max_pairs:
        seen += f", all that max-runs {rule.max_runs} allows"
    if verdict.outcome == UNDECIDED and verdict.span:
        low, high = (plain(limit) for limit in map(_short, verdict.span))
        more = rule.max_pairs - n - verdict.aside
        spared = f"; no keep was in sight, so {more} more of {rule.max_pairs} pairs were spared" if more > 0 else ""
        return f"undecided: the gain lies between {low} and {high} after {seen}{spared}"
    return f"no gain: {wanted} has become too unlikely after {seen}"


def _short(value: Decimal) -> Decimal:
    return Decimal(f"{value:.3g}")


def _spent(alpha: float, share: float) -> float:
    """Lan & DeMets' spending function close to Pocock's bounds: error spent at this share of the cap."""
    return alpha * math.log(1 + (math.e - 1) * share)


def _looks(alpha: float, max_pairs: int) -> list[int]:
    possible = (n for n in range(1, max_pairs) if math.pow(2, -n) <= _spent(alpha, n / max_pairs))
    n = next(possible, max_pairs)
    looks = []
    while n < max_pairs:
        looks.append(n)
        n = max(n + 1, round(n * LOOK_GROWTH))
    return [*looks, max_pairs]


def _mix(value: int) -> int:
    mask = (1 << 64) - 1
    z = (value + 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)
