"""Who measures a noisy number when: one at a time, or on disjoint sets of processors where these were shown to do.

Exact numbers bear each other. Noisy ones overlap on one machine only where an event of the log says that the retained
code gives the same alone and on all sets at once (`beside`); each run then holds one of the sets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..kernel.core.choices import EXECUTOR
from ..kernel.core.errors import Refusal
from ..kernel.core.settings import Config
from ..kernel.disk import evidence, locks
from ..kernel.run import exact
from ..kernel.run.context import Run
from ..kernel.system import interrupts
from ..machine import limits

Sets = tuple[tuple[int, ...], ...]
KIND = "apart"  # the event of the log
_BUSY = "another noisy number is measured on these processors"
_TICK = 0.1  # seconds between looks for a free set


def is_noisy(config: Config) -> bool:
    """Whether runs of the check may disturb each other: a noisy number, measured on this machine or a shared node."""
    return config.noise.get("kind") == "noisy" and not _on_own_nodes(config)


def _on_own_nodes(config: Config) -> bool:
    """Whether each measurement is a job that has its node for itself."""
    words = config.executor.split()
    return words[:1] == ["slurm"] and "--exclusive" in words


def possible(config: Config, workers: int, devices: bool) -> tuple[Sets, str]:
    """Disjoint sets of equal size that so many workers could share out, or () and why there are none."""
    cpus, cores = limits.processors(), limits.cpu_count()
    number = min(workers, cores, len(cpus))
    lacks = (
        (config.executor != EXECUTOR, "the checks run elsewhere"),
        (devices, "accelerators are shared out, and what they share is not known"),
        (not cpus, "this system keeps no program to a set of processors"),
        (number < 2, f"{min(cores, len(cpus))} processor{'s' if cores > 1 else ''} for {workers} workers"),
        (not exact.rule().by_pairs(config), "--max-runs allows no comparison in turns"),
    )
    why = next((text for bad, text in lacks if bad), "")
    size = 0 if why else min(cores, len(cpus)) // number
    return tuple(cpus[at * size : (at + 1) * size] for at in range(0 if why else number)), why


def shown(run: Run) -> Sets:
    """The sets on which noisy numbers may be measured at one time, as the log has it; () for none."""
    event = next(run.log.backwards(KIND), {})
    try:
        sets = tuple(tuple(map(int, cpus)) for cpus in event.get("sets", ()))
    except (TypeError, ValueError):
        return ()
    return sets if {cpu for cpus in sets for cpu in cpus} <= set(limits.processors()) else ()


def bears(run: Run) -> bool:
    """Whether the check may be measured in several folders at one time."""
    return not is_noisy(run.config) or bool(shown(run))


@contextmanager
def turn(run: Run) -> Iterator[None]:
    """For the block this process measures undisturbed: it waits for its turn, or for a free set, which it then has."""
    if not is_noisy(run.config):
        yield
        return
    with ExitStack() as stack:
        cpus = _free(stack, evidence.workers_folder(run.layout.evidence), shown(run) or ((),))
        with limits.kept_to(cpus):
            yield


def _free(stack: ExitStack, folder: Path, sets: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The first set that nobody holds; it is held until the stack is closed."""
    while True:
        for number, cpus in enumerate(sets):
            try:
                stack.enter_context(locks.held(folder / f"set-{number}.lock", _BUSY, wait=len(sets) == 1))
                return cpus
            except Refusal as refusal:
                if str(refusal) != _BUSY:
                    raise
        interrupts.pause(_TICK)
