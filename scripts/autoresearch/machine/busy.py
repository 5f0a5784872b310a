"""Whether a machine is too busy for numbers by the clock, and how that is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..kernel.core.frozen import dataclass

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

CROWDED = 2.0  # processes that want to run for each core
PRESSED = 0.2  # share of the last ten seconds in which something waited for a core; where it is known, both must hold


@dataclass(frozen=True)
class Load:
    """The machine at one moment; None where it does not tell.

    `load` is the average of the last minute, `pressure` the share of the last ten seconds in which some process waited
    for a core; `waited`, `stolen` and `throttled` are seconds since boot: in which something waited for a core, which
    the host took (over all cores), and for which this container's quota was used up.
    """

    cores: int
    load: float | None = None
    pressure: float | None = None
    waited: float | None = None
    stolen: float | None = None
    throttled: float | None = None

    @property
    def busy(self) -> bool:
        """Whether numbers by the clock mean little now."""
        crowded = self.load is not None and self.load > CROWDED * self.cores
        return crowded and (self.pressure is None or self.pressure > PRESSED)

    def __str__(self) -> str:
        return f"load {self.load or 0:.0f} on {self.cores} core{'s' if self.cores > 1 else ''}"


def between(before: Load, after: Load) -> Mapping[str, Any]:
    """What evidence keeps of a run: cores, load before it, and the seconds waited, stolen and throttled during it."""
    found: dict[str, Any] = {"cores": before.cores, "load": before.load}
    for name in ("waited", "stolen", "throttled"):
        first, last = getattr(before, name), getattr(after, name)
        found[name] = None if first is None or last is None else max(0.0, round(last - first, 3))
    return {name: value for name, value in found.items() if value is not None}


def mostly(loads: Iterable[Mapping[str, Any]]) -> str:
    """How busy the machine was for most of the runs whose evidence this is, "" where it was not."""
    known = sorted((float(load["load"]), load["cores"]) for load in loads if "load" in load)
    middle = Load(known[len(known) // 2][1], known[len(known) // 2][0]) if known else None
    return str(middle) if middle is not None and middle.busy else ""


def warning(load: str, counts: bool) -> str:
    """The sentence of a dry run on a busy machine; `counts`: the check counts processor time or findings already."""
    if counts:
        return f"{load}: numbers by the clock mean little now; this check counts already, a calm machine helps it"
    return (
        f"{load}: numbers by the clock mean little now; count instructions, operations or processor time instead, "
        "or measure when the machine is calm"
    )
