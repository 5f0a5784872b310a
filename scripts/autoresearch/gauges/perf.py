"""Instructions by `perf stat`, where it counts: many virtual machines and containers have no counter."""

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
from ..kernel.disk import tempfolder
from ..kernel.system import process

_EVENT = "instructions:u"
_PATIENCE = 20.0  # seconds that counting a program that does nothing may take


@dataclass(frozen=True)
class Counted:
    """A command line that counts what it runs, and the file that the count goes to."""

    command: str
    path: Path

    def instructions(self) -> Decimal | None:
        """The count of a run that has ended, None where there is none."""
        text = self.path.read_text("utf-8", "replace") if self.path.is_file() else ""
        fields = [line.split(",") for line in text.splitlines() if f",{_EVENT}," in line]
        if len(fields) != 1 or not fields[0][0].isdigit():  # `<not supported>`, `<not counted>`
            return None
        return numbers.parse(fields[0][0])


@contextmanager
def counting(command: str) -> Iterator[Counted]:
    """The command under `perf stat`, whose exit code is the command's; raises `Refusal` where nothing is counted."""
    if not counts():
        raise Refusal(
            "--measure instructions: perf stat counts none on this machine, expected a counter; measure by "
            "--measure cpu, or allow it (install perf, sysctl kernel.perf_event_paranoid=2, no virtual machine without "
            "counters)"
        )
    with _under_perf(command) as found:
        yield found


@contextmanager
def _under_perf(command: str) -> Iterator[Counted]:
    with tempfolder.folder("perf") as folder:
        path = folder / "stat"
        line = ["perf", "stat", "-x,", "-e", _EVENT, "-o", str(path), "--", "/bin/sh", "-c", command]
        yield Counted(f"exec {shlex.join(line)}", path)


@lru_cache(maxsize=1)
def counts() -> bool:
    """Whether `perf stat` counts the instructions of a program here."""
    with _under_perf("true") as tried:
        done = process.run_shell(tried.command, tried.path.parent, _PATIENCE, {"LC_ALL": "C"}, "perf")
        return done.exit_code == 0 and bool(tried.instructions())
