"""Who answers `rule` at the port `measure`. A trial of an exact metric costs one run and loads no statistics."""

from __future__ import annotations

import importlib
from decimal import Decimal

from ..kernel.core.frozen import Any, replace
from ..kernel.core.settings import Config
from ..kernel.run import measure
from ..kernel.run.measure import Arms, Bench, Measurement
from ..kernel.run.require import broken
from ..machine import busy


def is_noisy(config: Config) -> bool:
    """Whether calibration found the metric noisy."""
    return config.noise.get("kind") == "noisy"


def measured(bench: Bench, arms: Arms, retained: Decimal, seed: str) -> Measurement:
    """Measure a candidate by the rule that its noise and budget allow."""
    found: Measurement
    if is_noisy(bench.config):
        found = _paired().measured(bench, arms, retained, seed)
    else:
        found = measure.exact(bench, arms)
    crowded = busy.mostly(sample.load for sample in (*found.samples, *found.retained))
    return replace(found, busy=crowded, wait=found.wait or (_starved(found) if found.value is None else ""))


def missed(config: Config, found: Measurement) -> str:
    """The first requirement that a measured candidate misses, in words, or ""; one run is taken at its word."""
    return str(_paired().missed(config, found)) if is_noisy(config) else broken(config, found.others)


def _starved(found: Measurement) -> str:
    return str(importlib.import_module(f"{__package__}.starved").told(found))


def __getattr__(name: str) -> Any:
    """What is asked at a baseline, or under noise alone."""
    return getattr(_paired(), name)


def _paired() -> Any:
    return importlib.import_module(f"{__package__}.paired")
