"""A verdict as JSON and back: who records it is often another process than the one that measured."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from ..kernel.core.frozen import Any
from ..kernel.run.judge import Verdict
from ..kernel.run.measure import Measurement, Sample

_RUNS = ("samples", "retained")


def packed(verdict: Verdict) -> dict[str, Any]:
    """What JSON holds of it."""
    measured = verdict.measurement
    runs = {name: [vars(sample) for sample in getattr(measured, name)] for name in _RUNS}
    return {**vars(verdict), "measurement": {**vars(measured), **runs}}


def unpacked(data: Mapping[str, Any]) -> Verdict:
    """The verdict again; raises `KeyError`, `TypeError`, `AttributeError` or `ArithmeticError` for what is none."""
    measured = data["measurement"]
    known = {name: tuple(map(_sample, measured[name])) for name in _RUNS}
    known["interval"] = measured["interval"] and tuple(map(_exact, measured["interval"]))
    return Verdict(**{**data, "measurement": Measurement(**{**measured, **known, "value": _exact(measured["value"])})})


def _sample(data: Mapping[str, Any]) -> Sample:
    numbers = {name: {key: _exact(item) for key, item in data[name].items()} for name in ("others", "cost")}
    return Sample(**{**data, **numbers, "value": _exact(data["value"]), "seconds": float(data["seconds"])})


def _exact(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))
