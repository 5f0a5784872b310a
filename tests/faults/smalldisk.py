"""A disk with little room under every command that writes: it happens, or leaves things as they were, and goes on.

The repository lies on a tmpfs of its own (root alone can mount one) which has 0 KiB to 2 MiB of room while the command
runs, in every other try the temporary folder too. What must hold is what `steps.py` asks of any fault.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import SCRIPTS
from tests.faults.stage import Problem, Stage
from tests.faults.steps import CASES, Case, Steps, line_of

ROOM = (*range(0, 36, 4), 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 256, 384, 512, 768, 1024, 2048)  # KiB
NAMES = "init rehearse force keep discard salvage row drift finalize open close abort report lessons repair launch"
MOUNT = ("mount", "-t", "tmpfs", "-o")
ALL = "size=900m"
# A trial begins with 500 MB alone; here none is asked for, so that a write is what fails.
UNASKED = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
sys.path.insert(0, sys.argv.pop(1))
from autoresearch.cli import main
from autoresearch.kernel.disk import atomic
from autoresearch.machine import accelerators, limits
limits.cpu_count, limits.memory_mb, limits.free_mb = lambda *_: 8, lambda *_: (16000, 16000), lambda root: 90000
accelerators.accelerators, atomic.free_mb = lambda *_: [], lambda path: 90000
sys.exit(main(sys.argv.pop(1)))
"""


class Unmountable(Exception):
    """Nothing can be mounted here."""


def called(*line: str) -> None:
    """Run a program that must succeed."""
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unmountable(done.stderr.strip())


@contextmanager
def mounted(place: Path) -> Iterator[None]:
    """A folder on a disk of its own, with what is in it."""
    aside = place.with_name(f"{place.name}-aside")
    called("cp", "-a", str(place), str(aside))
    called(*MOUNT, ALL, "tmpfs", str(place))
    try:
        called("cp", "-a", f"{aside}/.", str(place))
        yield
    finally:
        called("umount", "--lazy", str(place))
        called("rm", "-rf", str(aside))


def left(place: Path, room: int) -> None:
    """Let the disk have so many KiB of room."""
    stat = os.statvfs(place)
    used = (stat.f_blocks - stat.f_bfree) * stat.f_frsize // 1024
    called("mount", "-o", f"remount,size={max(4, used + room)}k", str(place))


def roomy(place: Path) -> None:
    """Room for all again."""
    called("mount", "-o", f"remount,{ALL}", str(place))


def tried(steps: Steps, case: Case, room: int, also: bool) -> int:
    """One command with so much room; `also` in the temporary folder. Its exit code."""
    stage = steps.fresh(case)
    before = len(stage.statuses()) if case.has_run else 0
    places = [stage.repo, *([stage.folder / "tmp"] if also else [])]
    with mounted(stage.repo), mounted(stage.folder / "tmp"):
        for place in places:
            left(place, room)
        flags = line_of(stage, case.command, case.flags)[4 if case.command == "run_batch" else 2 :]
        line = [sys.executable, "-c", UNASKED, str(SCRIPTS), case.command, *flags]
        code = stage.ended(stage.spawn(line)).code
        said = (stage.folder / "err").read_text("utf-8", "replace")
        lines = [line for line in said.splitlines() if not line.startswith("…")]  # what is being done is told so
        if code not in (0, 1, 2) or (code and len(lines) > 1):
            raise Problem(f"exit code {code}: {said[-400:]}")
        for place in places:
            roomy(place)
        steps.recovered(stage, case, before)
    return code


def packaged(stage: Stage, room: int) -> int:
    """The bundle and the plugin into a folder with so much room: there as a whole, or not."""
    place = stage.folder / "tmp"
    target = place / "bundle"
    with mounted(place):
        left(place, room)
        kind = ("skill", "plugin")[room % 8 // 4]
        line = [sys.executable, str(SCRIPTS / "autoresearch_package.py"), kind, str(target)]
        ran = stage.ended(stage.spawn(line))
        if ran.code not in (0, 1) or (ran.code and (ran.err.count("\n") > 1 or target.exists())):
            raise Problem(f"exit code {ran.code}, left {target.exists()}: {ran.err[-400:]}")
    return ran.code


def tries(folder: Path, every: int, first: int, only: str = "") -> Iterator[str]:
    """Every EVERYth pair of command and room; yields what each came to, one that did not hold with a colon."""
    steps = Steps(folder)
    wanted = only.split(",") if only else [*NAMES.split(), "package"]
    pairs = [(name, room) for name in wanted for room in ROOM]
    for number, (name, room) in enumerate(pairs):
        if number % every != first % every:
            continue
        try:
            if name == "package":
                code = packaged(steps.stages["bare"].again(), room)
            else:
                case = next(case for case in CASES if case.name == name)
                code = tried(steps, case, room, number % 2 == 1)
            yield f"{name} {room} {code}"
        except Problem as problem:
            yield f"{name} {room} KiB: {problem}"
