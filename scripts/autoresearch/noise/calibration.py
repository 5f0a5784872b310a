"""Calibration: is the metric exact or noisy, how noisy, and what gain could a run detect."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations

from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.numbers import median, plain
from .outliers import MAD_TO_SIGMA, gini
from .sequential import MAX_RUNS, detectable_spreads, least_runs

# Finite-sample factors that make the MAD of normal noise unbiased, for 5 to 9 samples
# (Croux & Rousseeuw 1992, COMPSTAT 1:411); n / (n - 0.8) from 10 on.
MAD_FACTORS = (1.206, 1.200, 1.140, 1.129, 1.107)
POWER_80 = 0.8416  # normal quantile of 0.8

TRIAL_SECONDS = 3600.0  # what one trial may take before it is called slow
COARSE = 0.05  # a smallest visible gain above this share of the value is worth more runs
CACHED_SHARE = 0.05  # later runs this much shorter than the first, and done within
CACHED_SECONDS = 0.25  # this time, read a result rather than make it: a checker's warm cache leaves it more to do
CLUSTER_GAP = 4.0  # a gap this many times wider than either cluster splits the values in two


@dataclass(frozen=True)
class Calibration:
    """What repeating the baseline showed.

    `kind` is "exact" (all samples equal) or "noisy"; `samples` the values in the order they were run;
    `center` their median; `spread` a robust standard deviation of one run, in metric units (0 when
    exact); `smallest_detectable` the true gain that has an 80 % chance of a keep at the run budget
    (0 when exact); `warnings` plain sentences about what looks wrong with the check, `advice` on a
    better one, for those who may still choose.
    """

    kind: str
    samples: tuple[Decimal, ...]
    center: Decimal
    spread: Decimal
    smallest_detectable: Decimal
    warnings: tuple[str, ...]
    advice: tuple[str, ...] = ()


def calibrate(
    samples: Sequence[Decimal], durations: Sequence[float], max_runs: int, alpha: float, budget: float = TRIAL_SECONDS
) -> Calibration:
    """Judge repeated runs of the unchanged baseline.

    `durations` are seconds, one a sample; `max_runs` and `alpha` are those of the rule that will judge
    the trials; `budget` is the time in seconds that one trial may take. Raises Refusal without samples.
    """
    if not samples:
        raise Refusal("calibration has no samples: expected one or more; run verify by hand")
    values = tuple(samples)
    noisy = len(set(values)) > 1
    spread = robust_spread(values) if noisy else Decimal(0)
    calibration = Calibration(
        kind="noisy" if noisy else "exact",
        samples=values,
        center=median(values),
        spread=spread,
        smallest_detectable=_detectable(values, spread, max_runs, alpha) if noisy else Decimal(0),
        warnings=(),
    )
    advice = tuple(filter(None, (_few(calibration), _lean(calibration, max_runs, alpha))))
    warnings = tuple(_warnings(calibration, durations, max_runs, budget))
    return replace(calibration, warnings=warnings, advice=advice)


def single_run_threshold(cal: Calibration, alpha: float) -> Decimal:
    """Return the gain above which one run beats the retained value when no more can be paid for.

    Student's t quantile times the standard deviation of the difference of two single runs. This, unlike
    the paired rule, takes the noise to be normal and not to drift. The plain standard deviation is used,
    not the robust one, so that an outlier in the calibration raises the bar. 0 for an exact metric.
    """
    return _single_threshold(cal.samples, alpha)


def robust_spread(values: Sequence[Decimal]) -> Decimal:
    """Return the scaled median absolute deviation; below 5 values, and where ties make it 0, Gini's mean difference.

    Of three values the first sees only the nearer two, so 147, 118 and 148 would pass for steady. Both are
    unbiased for the standard deviation of normal noise, and the second is 0 only if all values are equal
    (David 1968, Biometrika 55:573). Raises ZeroDivisionError for a single value.
    """
    n = len(values)
    center = median(values)
    deviation = float(median([abs(value - center) for value in values]))
    if deviation and n >= 5:
        factor = MAD_FACTORS[n - 5] if n < 10 else n / (n - 0.8)
        return _rounded(deviation * MAD_TO_SIGMA * factor)
    return _rounded(gini(values))


def t_quantile(alpha: float, freedom: int) -> float:
    """Return Student's t with upper tail `alpha` (below one half), by bisection on its closed form."""
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        if _t_tail(middle, freedom) > alpha:
            low = middle
        else:
            high = middle
    return math.sqrt(freedom) * math.tan(low)


def _t_tail(angle: float, freedom: int) -> float:
    """Upper tail at t = sqrt(freedom) tan(angle) (Abramowitz & Stegun 26.7.3 and 26.7.4)."""
    cosine = math.cos(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = 0.0
    for k in range(1 + odd, freedom, 2):
        total += term
        term *= cosine * cosine * k / (k + 1)
    inside = math.sin(angle) * total
    return (1 - (2 / math.pi * (angle + inside) if odd else inside)) / 2


def _single_threshold(values: Sequence[Decimal], alpha: float) -> Decimal:
    if len(set(values)) < 2:
        return Decimal(0)
    floats = [float(value) for value in values]
    mean = sum(floats) / len(floats)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in floats) / (len(floats) - 1))
    return _rounded(t_quantile(alpha, len(floats) - 1) * deviation * math.sqrt(2))


def _detectable(values: Sequence[Decimal], spread: Decimal, max_runs: int, alpha: float) -> Decimal:
    if max_runs >= least_runs(alpha):
        return _rounded(float(spread) * detectable_spreads(alpha, max_runs))
    return _single_threshold(values, alpha) + _rounded(float(spread) * math.sqrt(2) * POWER_80)


def _warnings(cal: Calibration, durations: Sequence[float], max_runs: int, budget: float) -> Iterator[str]:
    checks = (
        _lone(cal),
        _cached(cal, durations),
        _trending(cal),
        _bimodal(cal),
        _drowned(cal),
        _slow(cal, durations, max_runs, budget),
    )
    return (warning for warning in checks if warning)


def _lone(cal: Calibration) -> str | None:
    if len(cal.samples) > 1:
        return None
    return "one run cannot tell an exact metric from a noisy one: calibrate with 3 if you can pay for them"


def _few(cal: Calibration) -> str | None:
    if len(cal.samples) > 3 or float(cal.smallest_detectable) <= COARSE * abs(float(cal.center)):
        return None
    return (
        f"{len(cal.samples)} runs tell little of so much noise: count something steadier (processor time, "
        "instructions, a longer workload), or see with --calibrate 8 whether smaller gains can be told"
    )


def _lean(cal: Calibration, max_runs: int, alpha: float) -> str | None:
    """What so many runs can decide, where they allow no pairs."""
    least = least_runs(alpha)
    if cal.kind == "exact" or max_runs >= least:
        return None
    wanted = float(cal.spread) * detectable_spreads(alpha, MAX_RUNS)
    return (
        f"{max_runs} runs a trial allow no comparison in turns, so one run decides; that needs {least}, and "
        f"{MAX_RUNS} would tell a gain of {plain(_rounded(wanted))}"
    )


def _cached(cal: Calibration, durations: Sequence[float]) -> str | None:
    later = list(durations[1:])
    if (
        cal.kind == "noisy"
        or not later
        or durations[0] < 1
        or max(later) > min(CACHED_SHARE * durations[0], CACHED_SECONDS)
    ):
        return None
    times = durations[0] / max(max(later), 0.001)
    return (
        f"the first run was {times:.0f} times slower than the later ones: "
        "if the check caches its result, let it measure afresh"
    )


def _trending(cal: Calibration) -> str | None:
    """Equal steps (a counter or a file that grows), or a rank trend too strong for chance (Mann 1945)."""
    values = cal.samples
    if len(values) >= 4 and moves_evenly(values):
        return f"the value moves by {plain(values[1] - values[0])} each run: verify seems to count its own leftovers"
    n = len(values)
    score = sum((b > a) - (b < a) for a, b in combinations(values, 2))
    if n < 5 or abs(score) < 2.2 * math.sqrt(n * (n - 1) * (2 * n + 5) / 18):
        return None
    verb = "rises" if score > 0 else "falls"
    return f"the value {verb} from run to run without any edit: warm up, or clean up, inside verify"


def moves_evenly(values: Sequence[Decimal]) -> bool:
    """Whether each value is the one before plus the same step, not 0; of three coarse timings chance does it too."""
    steps = {b - a for a, b in zip(values, values[1:])}
    return len(steps) == 1 and 0 not in steps


def _bimodal(cal: Calibration) -> str | None:
    ordered = sorted(cal.samples)
    for cut in range(2, len(ordered) - 1):
        low, high = ordered[:cut], ordered[cut:]
        widest = max(low[-1] - low[0], high[-1] - high[0])
        if len(ordered) >= 5 and float(high[0] - low[-1]) > CLUSTER_GAP * float(widest):
            return (
                f"the values form two clusters, near {plain(median(low))} and near {plain(median(high))}: "
                "find the second state (cold cache, turbo clock, another process) and fix it in verify"
            )
    return None


def _drowned(cal: Calibration) -> str | None:
    if cal.kind == "exact" or cal.smallest_detectable < abs(cal.center):
        return None
    return (
        f"the smallest gain that would be noticed, {plain(cal.smallest_detectable)}, is the whole metric: "
        "measure more work within verify, or raise --max-runs"
    )


def _slow(cal: Calibration, durations: Sequence[float], max_runs: int, budget: float) -> str | None:
    runs = max_runs if cal.kind == "noisy" else 1
    seconds = sorted(durations)[len(durations) // 2] * runs if durations else 0.0
    if seconds <= budget:
        return None
    return (
        f"one trial may take {seconds / 60:.0f} minutes, too slow for a budget of {budget / 60:.0f}: "
        "use a smaller check or a lower --max-runs"
    )


def _rounded(value: float) -> Decimal:
    """Four significant digits: a spread from a handful of runs has no more to say."""
    return Decimal(f"{value:.3e}")
