"""Accelerators shared out among workers: a disjoint slice for each, and the variables that show a program no other."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from ..kernel.core.frozen import dataclass, field

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

# The variable that names devices by their number on the machine. ROCm renumbers what it shows, so that HIP's own
# variable, read after it, counts from 0 again. Apple's one device cannot be divided.
VISIBLE = {"nvidia": "CUDA_VISIBLE_DEVICES", "rocm": "ROCR_VISIBLE_DEVICES", "ascend": "ASCEND_RT_VISIBLE_DEVICES"}
_HIP = "HIP_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Device:
    """One accelerator: its kind, and how its kind's variable names it."""

    kind: str
    name: str


@dataclass(frozen=True)
class Slice:
    """What one worker gets: the names of its devices, and the variables for its programs."""

    devices: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


def found(known: Sequence[Mapping[str, Any]], environ: Mapping[str, str] = os.environ) -> tuple[Device, ...]:
    """The devices that can be shared out; of a kind whose variable is set already, those that it names."""
    counts: dict[str, int] = {}
    for item in known:
        counts[item["kind"]] = counts.get(item["kind"], 0) + int(item["count"])
    return tuple(
        Device(kind, name)
        for kind, variable in VISIBLE.items()
        for name in _named(environ.get(variable), counts.get(kind, 0))
    )


def _named(given: str | None, count: int) -> list[str]:
    if not count or given is None:
        return [str(number) for number in range(count)]
    return [name.strip() for name in given.split(",") if name.strip() not in ("", "-1")]


def of(devices: Sequence[Device], workers: int) -> tuple[Slice, ...]:
    """As many slices as there are workers, of equal size; what is left over stays idle. Fewer devices than workers
    are taken in turns."""
    if not devices:
        return (Slice(),) * workers
    share = max(1, len(devices) // workers)
    starts = [index * share % len(devices) for index in range(workers)]
    return tuple(_slice(devices[start : start + share]) for start in starts)


def _slice(mine: Sequence[Device]) -> Slice:
    kinds = dict.fromkeys(device.kind for device in mine)
    environment = {VISIBLE[kind]: ",".join(d.name for d in mine if d.kind == kind) for kind in kinds}
    if "rocm" in kinds:
        environment[_HIP] = ",".join(str(n) for n in range(sum(d.kind == "rocm" for d in mine)))
    return Slice(",".join(device.name for device in mine), environment)
