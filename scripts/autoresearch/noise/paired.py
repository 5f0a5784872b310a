"""Noisy metrics: candidate and retained run in interleaved pairs, in random order, until the rule has decided."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from pathlib import Path

from ..kernel.core import numbers, timelimit
from ..kernel.core.frozen import replace
from ..kernel.core.settings import Config
from ..kernel.disk import evidence
from ..kernel.run import exact, measure
from ..kernel.run.measure import Arms, Bench, Measurement, Sample
from ..machine import load
from . import calibration, calm, outliers, required, sequential
from .rule import is_noisy

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

SAMPLE_OUTPUT = 16 * 1024
_NINE = Context(prec=9)
# Runs of a noisy baseline during which something waited for a core; so much of a run's time counts.
DISTURBED_RUNS, DISTURBED_SHARE = 5, 0.2
LARGE = Decimal("0.1")  # share of the value from which on a smallest gain is told with it
MINUTES = 60.0  # seconds from which a run is an expensive one
# An edit that took minutes of thought is not called hopeless within seconds: runs are made for so large a part of the
# time since the trial before in any case, for eight pairs at most; more of them show hardly more gains.
PATIENT_SHARE, PATIENT_PAIRS = 0.1, 8


def rule_of(config: Config) -> sequential.NoiseRule:
    """The sequential rule as configured."""
    found = config.noise
    samples = [Decimal(str(value)) for value in found.get("samples", ())]
    spread = Decimal(str(found.get("spread", 0)))
    return sequential.NoiseRule(
        direction=config.direction,
        alpha=float(config.alpha),
        max_runs=cap(config),
        min_delta=config.min_delta,
        spread=spread,
        steady=outliers.steady_spread(samples, spread),
        worth=config.min_delta or _worth(found, samples),
    )


def patient(thought: float, seconds: float) -> int:
    """Pairs that are run in any case: seconds since the trial before, seconds that a run takes (0: unknown)."""
    return min(PATIENT_PAIRS, int(PATIENT_SHARE * thought / (2 * seconds))) if seconds else 0


def _thought(folder: Path) -> float:
    """Seconds since the last experiment before the one whose evidence goes into `folder`; 0 where none is known."""
    number = int(folder.name) if folder.name.isdecimal() else 0
    before = (evidence.folder(folder.parent, earlier) for earlier in range(number - 1, -1, -1))
    last = next((path for path in before if path.is_dir()), None)
    return max(0.0, time.time() - last.stat().st_mtime) if last else 0.0


def _worth(found: Mapping[str, Any], samples: Sequence[Decimal]) -> Decimal:
    """The gain worth having where none was agreed: the smallest detectable one, a twentieth of the value at most.

    Noise makes a check blind; it makes no smaller gain worthless, so that such a discard is undecided.
    """
    least = Decimal(str(found.get("smallest_detectable", 0)))
    most = Decimal(str(calibration.COARSE)) * abs(numbers.median(samples)) if samples else Decimal(0)
    return min(least, most) if most else least


def cap(config: Config, seconds: float = 0.0) -> int:
    """Runs that a noisy trial may cost: as asked, else as many as its time allows at `seconds` each, 40 at most."""
    if config.max_runs is not None:
        return config.max_runs
    return sequential.MAX_RUNS if not seconds else max(1, min(sequential.MAX_RUNS, int(budget(config) / seconds)))


def budget(config: Config) -> float:
    """Seconds that one trial may take: an hour, or the whole run's budget where that is less."""
    whole = calibration.TRIAL_SECONDS if config.max_minutes is None else 60 * float(config.max_minutes)
    return min(whole, calibration.TRIAL_SECONDS)


def calibrated(config: Config, samples: Sequence[Sample]) -> tuple[Config, calibration.Calibration]:
    """What repeated runs of one state say, and the configuration with it; the samples all have values."""
    seconds = sorted(sample.seconds for sample in samples)
    middle = seconds[len(seconds) // 2]
    config = replace(config, max_runs=cap(config, middle), metric_form=samples[0].form)
    values = [_value(sample) for sample in samples]
    found = calibration.calibrate(
        values, [s.seconds for s in samples], cap(config), float(config.alpha), budget(config)
    )
    kept = {**config.noise, **noise_of(found), "seconds": Decimal(f"{middle:.4f}")}
    return replace(config, noise=kept), found


def affordable(config: Config) -> bool:
    """Whether enough runs may be paid for that a keep by pairs is possible at all."""
    return cap(config) >= sequential.least_runs(float(config.alpha))


def by_pairs(config: Config) -> bool:
    """Whether trials run candidate and retained code in pairs."""
    return is_noisy(config) and affordable(config)


def measured(bench: Bench, arms: Arms, retained: Decimal, seed: str) -> Measurement:
    """Measure a candidate whose metric is noisy, by the rule that the budget allows."""
    return _pairs(bench, arms, retained, seed) if affordable(bench.config) else _single(bench, arms, retained)


def _single(bench: Bench, arms: Arms, retained: Decimal) -> Measurement:
    """One run against the threshold that the calibrated spread gives."""
    one = measure.exact(bench, arms)
    if one.value is None:
        return one
    limit = threshold(bench.config)
    gain = numbers.gain(bench.config.direction, one.value, retained)
    reason = f"gain {numbers.plain(gain)} against a threshold of {numbers.plain(limit)} (one run)"
    refuted = gain + limit < rule_of(bench.config).worth
    outcome = "" if gain > limit else sequential.NO_GAIN if refuted else sequential.UNDECIDED
    reason = f"{outcome}: {reason}" if outcome else reason
    return replace(one, improves=gain > limit, reason=reason, outcome=outcome)


def threshold(config: Config) -> Decimal:
    """The gain that one run must show where no more can be paid for; the smallest gain worth having at least."""
    samples = tuple(Decimal(str(value)) for value in config.noise.get("samples", ()))
    found = calibration.calibrate(samples, (), cap(config), float(config.alpha))
    return max(calibration.single_run_threshold(found, float(config.alpha)), config.min_delta)


def _pairs(bench: Bench, arms: Arms, retained: Decimal, seed: str) -> Measurement:
    """The sequential test; ends early on a crash, on a clear gain and on a hopeless candidate."""
    import hashlib

    patience = calm.Patience()
    rule, start = rule_of(bench.config), int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")
    rule = replace(rule, patient=patient(_thought(bench.folder), float(bench.config.noise.get("seconds") or 0)))
    mine: list[Sample] = []
    theirs: list[Sample] = []
    pairs: list[tuple[Decimal, Decimal]] = []
    while True:
        number = len(pairs) + 1
        patience.wait()
        first = sequential.order(start, number)
        for candidate in (first, not first):
            sample = _arm(bench, arms, candidate, number)
            (mine if candidate else theirs).append(sample)
            if sample.value is None:
                return _failed(bench, arms, mine, theirs)
        pairs.append((_value(mine[-1]), _value(theirs[-1])))
        verdict = sequential.judge(pairs, rule)
        slow = _slow(bench, mine, theirs, verdict.action == "keep")
        if slow:
            return Measurement(None, slow, tuple(mine), tuple(theirs))
        if verdict.action != "more":
            found = _concluded(verdict, mine, theirs, retained, bench.config.direction)
            return replace(found, wait=_too_busy(verdict, pairs, rule), reason=found.reason + patience.told())


def _too_busy(
    verdict: sequential.PairsVerdict, pairs: Sequence[tuple[Decimal, Decimal]], rule: sequential.NoiseRule
) -> str:
    """Why a trial has to be repeated: nothing is decided, the runs were far less steady than at the baseline, and the
    machine is busy; else ""."""
    now = load.read()
    unsteady = outliers.seen_spread(pairs) > outliers.UNSTEADY * float(rule.spread)
    if verdict.outcome != sequential.UNDECIDED or not unsteady or not now.busy:
        return ""
    return (
        f"postponed: {now}, and {2 * len(pairs)} runs could not tell the edit from noise; nothing was recorded and no "
        "iteration is charged, the edit stays: wait until the machine is calm and repeat the command"
    )


def _failed(bench: Bench, arms: Arms, mine: Sequence[Sample], theirs: Sequence[Sample]) -> Measurement:
    """A run gave no number. One that hung is the edit's fault only where the retained code ends now."""
    if theirs:
        measure.in_time(theirs[-1])
    if mine[-1].late and len(theirs) < len(mine):
        measure.retained(bench, arms, len(mine), SAMPLE_OUTPUT)
    return measure.failed(mine, theirs)


def _slow(bench: Bench, mine: Sequence[Sample], theirs: Sequence[Sample], keeps: bool) -> str:
    """What is wrong with a candidate whose runs take too long beside the retained ones, else ""."""
    soft = bench.limit.soft
    if soft is None or max(measure.seconds_of(mine)) <= soft:
        return ""
    both, crowd = (measure.seconds_of(mine), measure.seconds_of(theirs)), measure.crowd(mine)
    sure = len(mine) >= timelimit.ROUNDS and timelimit.slower(*both, crowd)
    return timelimit.too_slow(*both) if sure or (keeps and slower_mostly(*both, crowd)) else ""


def slower_mostly(mine: Sequence[float], theirs: Sequence[float], crowd: float = 1.0) -> bool:
    """Whether the middle run is too slow beside the middle one of the retained code."""
    return sorted(mine)[len(mine) // 2] > timelimit.allowed(sorted(theirs)[len(theirs) // 2], crowd)


def _arm(bench: Bench, arms: Arms, candidate: bool, number: int) -> Sample:
    (arms.show_candidate if candidate else arms.show_retained)()
    name = f"{'verify' if candidate else 'retained'}-{number}"
    return measure.verify(bench, name, SAMPLE_OUTPUT)


def _value(sample: Sample) -> Decimal:
    assert sample.value is not None
    return sample.value


def _concluded(
    verdict: sequential.PairsVerdict, mine: list[Sample], theirs: list[Sample], retained: Decimal, direction: str
) -> Measurement:
    """The estimate is the retained value moved by the paired gain, not the luckiest sample."""
    ours, now = [_value(sample) for sample in mine], [_value(sample) for sample in theirs]
    scale, least = proportion(retained, now), _least(retained, ours, now)
    gain = verdict.estimate if verdict.estimate is not None else Decimal(0)
    estimate = _moved(retained, _scaled(gain, scale), direction)
    if least is not None and estimate <= least:
        estimate = _scaled(numbers.median(ours), scale)
    kept = verdict.action == "keep"
    ends = verdict.interval if kept else verdict.span
    moved = [_moved(retained, _scaled(end, scale), direction) for end in ends or ()]
    limits = sorted(moved if least is None else [max(least, end) for end in moved])
    interval = (limits[0], limits[1]) if limits else None
    samples = tuple(mine), tuple(theirs)
    return Measurement(estimate, "", *samples, kept, verdict.reason, interval, verdict.outcome)


def proportion(retained: Decimal, now: Sequence[Decimal]) -> Decimal:
    """What a gain measured now is worth on the scale of the retained value.

    A machine that is slower than at the baseline is slower for both arms. Were such gains added up as they are, their
    error would grow with each keep until the retained value had lost touch with what the check prints: at ten times
    the load the gains of one trial can be larger than the whole value. 1 where the values have no ratio.
    """
    if retained <= 0 or min(now) <= 0:
        return Decimal(1)
    return retained / numbers.median(now)


def _least(retained: Decimal, mine: Sequence[Decimal], theirs: Sequence[Decimal]) -> Decimal | None:
    """What no estimate is below: 0 where every number was above it, for then the check counts or times something."""
    return Decimal(0) if min(retained, *mine, *theirs) > 0 else None


def _scaled(gain: Decimal, scale: Decimal) -> Decimal:
    """A gain on another scale, to nine digits: more are noise, and an answer is read by people."""
    return gain if scale == 1 else _NINE.multiply(gain, scale)


def _moved(value: Decimal, gain: Decimal, direction: str) -> Decimal:
    return numbers.EXACT.add(value, -gain if direction == "lower" else gain)


def noise_of(found: calibration.Calibration) -> Mapping[str, Any]:
    """The `noise` object of answers and configuration."""
    return {
        "kind": found.kind,
        "samples": list(found.samples),
        "spread": found.spread,
        "smallest_detectable": found.smallest_detectable,
    }


def wanted(config: Config, samples: Sequence[Sample]) -> int:
    """Runs of the baseline, given those that were made: as asked, else three, or two when one takes minutes (noise
    never shows in a single one); one more where three values in even steps leave open whether that is chance, five
    where other work disturbed runs that differ, for the middle of five stands two such runs."""
    usual = repeats(config, samples[0].seconds if samples else None)
    values = [sample.value for sample in samples if sample.value is not None]
    doubtful = len(values) == 3 and not config.calibrate and calibration.moves_evenly(values)
    if usual == 3 and not config.calibrate and len(set(values)) > 1 and any(map(_disturbed, samples)):
        return DISTURBED_RUNS
    return usual + 1 if doubtful else usual


def _disturbed(sample: Sample) -> bool:
    return float(sample.load.get("waited", 0)) > DISTURBED_SHARE * sample.seconds


def repeats(config: Config, seconds: float | None) -> int:
    """Baseline runs: as asked, else three, or two when one takes minutes: noise never shows in a single one."""
    return config.calibrate or (3 if seconds is None or seconds < MINUTES else 2)


def sentence(config: Config, value: Decimal, each: str) -> str:
    """The calibration for the user, after the metric's name; `each` says how long one run takes."""
    noise = config.noise
    if not is_noisy(config):
        return exact.sentence(config, value, each)
    about = f"is about {numbers.plain(value)} with a spread of {numbers.plain(noise['spread'])}; {each}; "
    least = _smallest(value, Decimal(str(noise["smallest_detectable"])))
    likely = f"gains from about {least} on are told from noise in 4 of 5 trials"
    if affordable(config):
        return about + f"{likely} within {cap(config)} runs"
    needed = sequential.least_runs(float(config.alpha))
    return about + f"{likely} by one run a trial: --max-runs is {cap(config)}, comparing in turns needs {needed}"


def _smallest(value: Decimal, least: Decimal) -> str:
    """The smallest gain that is told from noise; one that is a large share of the value falls as the value falls."""
    share = least / abs(value) if value else Decimal(0)
    told = f" ({100 * share:.0f} % of the value; less as the value and its noise fall)" if share >= LARGE else ""
    return numbers.plain(least) + told


missed = required.missed
