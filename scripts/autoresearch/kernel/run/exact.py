"""Measuring without a rule for noise: one run decides. Who answers `rule` at the port `measure` has the same."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from decimal import Decimal

from .. import ports
from ..core.errors import Refusal
from ..core.frozen import Any, dataclass, replace
from ..core.numbers import median, plain
from ..core.settings import Config
from . import measure, require
from .measure import Arms, Bench, Measurement, Sample

REPEATS = 3


@dataclass(frozen=True)
class ExactCalibration:
    """What repeating the baseline showed: the number, and what looks wrong with the check."""

    center: Decimal
    warnings: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()


def rule() -> Any:
    """The module that measures: the feature's where it is there, else this one."""
    return ports.first("measure", "rule", sys.modules[__name__])


def wanted(config: Config, samples: Sequence[Sample]) -> int:
    """Runs of the baseline, given those that were made."""
    return config.calibrate or REPEATS


def calibrated(config: Config, samples: Sequence[Sample]) -> tuple[Config, ExactCalibration]:
    """The configuration with what the runs showed; raises `Refusal` for a number that does not repeat."""
    values = [sample.value for sample in samples if sample.value is not None]
    if len(set(values)) != 1:
        shown = ", ".join(plain(value) for value in values[:5])
        raise Refusal(f"the number does not repeat ({shown}), expected one that does: no rule for noise is installed")
    seconds = Decimal(f"{median([Decimal(str(sample.seconds)) for sample in samples]):.4f}")
    noise = {"kind": "exact", "samples": values, "spread": Decimal(0), "smallest_detectable": Decimal(0)}
    kept = replace(config, noise={**config.noise, **noise, "seconds": seconds}, metric_form=samples[0].form)
    return kept, ExactCalibration(values[0])


def sentence(config: Config, value: Decimal, each: str) -> str:
    """What was calibrated, for the user; `each` says how long one run takes."""
    return f"is {plain(value)} and repeats exactly; {each}, one run a trial"


def measured(bench: Bench, arms: Arms, retained: Decimal, seed: str) -> Measurement:
    """One run decides."""
    return measure.exact(bench, arms)


def by_pairs(config: Config) -> bool:
    """Whether trials run candidate and retained code in pairs."""
    return False


def threshold(config: Config) -> Decimal:
    """The gain that one run must show."""
    return config.min_delta


def missed(config: Config, found: Measurement) -> str:
    """The first limit on another number that a candidate misses, in words, or ""."""
    return require.broken(config, found.others)
