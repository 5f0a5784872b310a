"""Instructions by `perf stat`, where it counts (many virtual machines have no counter), or when asked by callgrind.

Callgrind (valgrind) runs every process in a simulated processor: slow, and the same on any machine of one kind.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from ..kernel.core import numbers
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from ..kernel.run import tempfolder
from ..kernel.system import process

CALLGRIND = "callgrind"
_EVENT = "instructions:u"
_PATIENCE = 20.0  # seconds that counting a program that does nothing may take


@dataclass(frozen=True)
class PerfCount:
    """A command line that counts what it runs, and the folder that the counts go to."""

    command: str
    folder: Path

    def instructions(self) -> Decimal | None:
        """The count of a run that has ended, None where there is none."""
        stat = self.folder / "stat"
        fields = [line.split(",") for line in _lines(stat) if f",{_EVENT}," in line]
        counts = [one[0] for one in fields]  # or `<not supported>`, `<not counted>`
        if not stat.is_file():
            counts = [line[8:] for path in self.folder.glob("callgrind.*") for line in _totals(path)]
        if not counts or (stat.is_file() and len(counts) > 1) or not all(count.isdigit() for count in counts):
            return None
        return sum((numbers.parse(count) for count in counts), Decimal(0))


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8", "replace").splitlines() if path.is_file() else []


def _totals(path: Path) -> list[str]:
    """The line `totals: N` of a profile; "" in place of its count where it was not written to its end."""
    return [line for line in _lines(path) if line.startswith("totals: ")] or [""]


@contextmanager
def counting(command: str, measure: str = "instructions") -> Iterator[PerfCount]:
    """The command under `perf stat` or callgrind, whose exit code is the command's.

    Raises `Refusal` where nothing is counted.
    """
    if measure == CALLGRIND:
        with _under_callgrind(command) as found:
            yield found
        return
    if not counts():
        raise Refusal(
            "--measure instructions: perf stat counts none on this machine, expected a counter; measure by "
            "--measure cpu or (valgrind, 20 to 60 times as long) --measure callgrind, or allow it (install perf, "
            "sysctl kernel.perf_event_paranoid=2, no virtual machine without counters)"
        )
    with _under_perf(command) as found:
        yield found


@contextmanager
def _under_perf(command: str) -> Iterator[PerfCount]:
    with tempfolder.folder("perf") as folder:
        line = ["perf", "stat", "-x,", "-e", _EVENT, "-o", str(folder / "stat"), "--", "/bin/sh", "-c", command]
        yield PerfCount(f"exec {shlex.join(line)}", folder)


@contextmanager
def _under_callgrind(command: str) -> Iterator[PerfCount]:
    """Every process writes a profile of its own, the shell included; what valgrind says goes into files too."""
    import shutil

    if shutil.which("valgrind") is None:
        raise Refusal("--measure callgrind: no valgrind is on PATH, expected one; install it, or measure by cpu")
    with tempfolder.folder("callgrind") as folder:
        files = [f"--callgrind-out-file={folder}/callgrind.%p", f"--log-file={folder}/log.%p"]
        line = ["valgrind", "--tool=callgrind", "--trace-children=yes", *files, "/bin/sh", "-c", command]
        yield PerfCount(f"exec {shlex.join(line)}", folder)


@lru_cache(maxsize=1)
def counts() -> bool:
    """Whether `perf stat` counts the instructions of a program here."""
    with _under_perf("true") as tried:
        done = process.run_shell(tried.command, tried.folder, _PATIENCE, {"LC_ALL": "C"}, "perf")
        return done.exit_code == 0 and bool(tried.instructions())
