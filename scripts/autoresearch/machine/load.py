"""How busy the machine is: load average, pressure stall information, stolen and throttled time."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ..kernel.core.frozen import replace
from . import busy, limits
from .busy import Load

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from ..kernel.run.measure import Bench, Rest, Start, VerifyRun

_MICRO = 1e-6
# A look at the machine: so many seconds of processor time, and how much longer they take where others want the core.
_LOOK, _SLOWER = 0.02, 1.5


def read(root: Path | None = None) -> Load:
    """The machine now; `root` is where /proc and /sys lie, unless given what AUTORESEARCH_PROC_ROOT names."""
    root = Path(os.environ.get("AUTORESEARCH_PROC_ROOT", "/")) if root is None else root
    pressure, waited = _pressure(root)
    return Load(
        cores=limits.cpu_count() if root == Path("/") else limits.cpu_count(root),
        load=_load(root),
        pressure=pressure,
        waited=waited,
        stolen=_stolen(root),
        throttled=limits.throttled(root),
    )


def contended() -> bool:
    """Whether others want the cores at this very moment; the averages of the system tell that only much later."""
    if os.environ.get("AUTORESEARCH_PROC_ROOT"):
        return read().busy
    wall, own = time.monotonic(), time.process_time()
    while time.process_time() - own < _LOOK:
        pass
    return time.monotonic() - wall > _SLOWER * _LOOK


def around(bench: Bench, start: Start, rest: Rest) -> VerifyRun:
    """A run of verify with what the machine did beside it; the port `measure`."""
    before = read()
    ran = rest()
    return replace(ran, load=busy.between(before, read()))


def _load(root: Path) -> float | None:
    text = limits.slurp(root / "proc/loadavg").split()
    if text:
        return float(text[0])
    try:
        return os.getloadavg()[0] if root == Path("/") else None
    except OSError:
        return None


def _pressure(root: Path) -> tuple[float | None, float | None]:
    """Share of the last ten seconds and seconds in all (Documentation/accounting/psi.rst of the Linux kernel)."""
    for line in limits.slurp(root / "proc/pressure/cpu").splitlines():
        kind, *fields = line.split()
        if kind == "some":
            values = dict(field.split("=", 1) for field in fields)
            return float(values["avg10"]) / 100, float(values["total"]) * _MICRO
    return None, None


def _stolen(root: Path) -> float | None:
    """Seconds that the hypervisor gave to others: the eighth figure of the first line of /proc/stat (proc(5))."""
    fields = limits.slurp(root / "proc/stat").partition("\n")[0].split()
    return int(fields[8]) / os.sysconf("SC_CLK_TCK") if len(fields) > 8 else None
