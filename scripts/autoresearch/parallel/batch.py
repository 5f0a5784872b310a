"""Parallel workers of a run: each edits in a worktree of its own, beside the repository, from one retained state.

The note of an open batch is durable, so that `close` and `abort` can be repeated after a kill.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..isolation import checkouts
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, field, replace
from ..kernel.core.text import listing
from ..kernel.disk import evidence
from ..kernel.disk.layout import POINTER, Layout
from ..kernel.run import branches, context, evaluator_lock, intent, stale, tree, trial, trial_gate
from ..kernel.run.context import Run
from ..kernel.run.measure import Bench, Sample
from ..kernel.run.tree import Guarded
from ..kernel.system import process
from ..kernel.system.git import Repo
from ..setup import canary, skill_paths
from . import apart, slices
from .anew import renew
from .slices import Device

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

MOST = 3  # workers; references/parallel-experiments-protocol.md
LEAST_RAM_MB = 7000  # of a machine sold with 8 GB
LEAST_DISK_MB = 5000
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
TOOL = "tool"  # the id of a crew's place that is no worker's; where several are compared, with their number


@dataclass(frozen=True)
class Machine:
    """What is there to share: cores, memory and free disk in MiB, accelerators."""

    cores: int
    ram_mb: int
    disk_mb: int
    devices: tuple[Device, ...] = ()


@dataclass(frozen=True)
class WorkerPlace:
    """One worker: its letter, worktree, branch, and the accelerators that are its own."""

    id: str
    path: str
    branch: str
    devices: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """An open batch: its mark, the commit all start from, and the winner's commit once it is put into the main tree.

    `runners` are the commits of losers that gained, best first, which are still to be tried on top of the winner.
    `crew`: a controller's, whose workers propose one by one and are never closed together. Until it is `proved` that
    the check sees their folders, nothing that was measured there counts. A crew's last places are the tool's own: it is
    proved in folders that are made for it, with `setup` and `links`.
    """

    mark: str
    base: str
    places: tuple[WorkerPlace, ...]
    applied: str = ""
    runners: tuple[str, ...] = ()
    crew: bool = False
    proved: bool = True
    setup: str = ""
    links: tuple[str, ...] = ()

    @property
    def workers(self) -> tuple[WorkerPlace, ...]:
        """The places of the workers."""
        return tuple(place for place in self.places if place not in self.tools)

    @property
    def tools(self) -> tuple[WorkerPlace, ...]:
        """The tool's own places, of a crew."""
        return tuple(place for place in self.places if place.id.startswith(TOOL))

    def write(self, root: Path) -> Batch:
        """Make the note durable."""
        evidence.write_json(evidence.batch_path(root), {**vars(self), "places": [vars(p) for p in self.places]})
        return self


@dataclass(frozen=True)
class BatchRequest:
    """Workers asked for, the machine they share, what a checkout lacks; `oversubscribe`: the machine's limits are known
    and the number is meant."""

    workers: int
    machine: Machine
    setup: str = ""
    links: tuple[str, ...] = ()
    oversubscribe: bool = False
    each: int = 1  # accelerators of one experiment
    crew: bool = False


def machine_at(root: Path) -> Machine:
    """What this machine has to share."""
    from ..machine import accelerators, limits

    devices = slices.found(accelerators.accelerators())
    return Machine(limits.cpu_count(), limits.memory_mb()[0], limits.free_mb(root), devices)


def read(layout: Layout) -> Batch:
    """The open batch; raises `Refusal` when there is none."""
    data = evidence.read_json(evidence.batch_path(layout.evidence))
    try:
        assert data is not None
        lists = {name: tuple(data.get(name, ())) for name in ("runners", "links")}
        return Batch(**{**data, **lists, "places": tuple(WorkerPlace(**place) for place in data["places"])})
    except (AssertionError, KeyError, TypeError):
        raise Refusal("no batch is open here, expected one; autoresearch_run_batch.py open makes it") from None


def solo(batch: Batch, place: WorkerPlace, base: str) -> Batch:
    """One worker of a crew as a batch of its own, from the commit that it started from."""
    return replace(batch, base=base, places=(place,))


@contextmanager
def alone(layout: Layout) -> Iterator[str]:
    """Hold the trial lock; a trial that was killed undecided leaves no edit, for a batch starts from a clean tree."""
    with stale.held(layout, intent.BUSY):
        yield intent.undo(layout)


def granted(wish: BatchRequest) -> tuple[int, str]:
    """How many workers the machine bears, and a warning where more were wanted by name.

    Raises `Refusal` where it bears no batch and nobody insisted.
    """
    machine = wish.machine
    bears = min(MOST, len(machine.devices) // wish.each if machine.devices else machine.cores // 2)
    number = min(bears, wish.workers)
    small = [
        text
        for text, bad in (
            (f"{number} of {wish.workers} workers granted on {machine.cores} cores", number < 2),
            (f"{machine.ram_mb} MB of memory", machine.ram_mb < LEAST_RAM_MB),
            (f"{machine.disk_mb} MB of free disk", machine.disk_mb < LEAST_DISK_MB),
        )
        if bad
    ]
    if wish.oversubscribe:
        return _insisted(wish.workers), _crowded(wish, bears, small)
    if small:
        raise Refusal(
            f"too little for a batch ({listing(small)}), expected at least 2 workers, 4 cores, 8 GB and 5 GB of disk; "
            "go on with single trials, or insist with --oversubscribe"
        )
    return number, ""


def _insisted(workers: int) -> int:
    if not 1 <= workers <= len(_LETTERS):
        raise Refusal(f"--workers is {workers}, expected 1 to {len(_LETTERS)}; correct it")
    return workers


def _crowded(wish: BatchRequest, bears: int, small: Sequence[str]) -> str:
    """What is wrong with as many workers as were asked for, "" where the machine bears them."""
    if wish.workers <= bears and not small:
        return ""
    why = listing(small) if small else f"this machine can carry {max(1, bears)}"
    return f"{wish.workers} workers as asked ({why}): they will slow each other, so limits and timings suffer"


def open_batch(layout: Layout, wish: BatchRequest) -> dict[str, Any]:
    """Make a worktree for each worker; raises `Refusal` with nothing left behind."""
    number, warning = granted(wish)
    with alone(layout):
        run = context.load(layout)
        _refuse_unready(run)
        batch = _planned(run, slices.of(wish.machine.devices, number), wish)
        batch.write(layout.evidence)
        try:
            for place in batch.workers:
                make(run, batch, place)
            if batch.proved:
                prove(run, batch, batch.places[0])
        except BaseException:
            drop(run, batch)
            raise
    said = {"asked": wish.workers, "granted": number, **({"warning": warning} if warning else {})}
    return {**described(run, batch), **said}


def described(run: Run, batch: Batch) -> dict[str, Any]:
    """An open batch as the answer tells of it."""
    return {
        "workers": [vars(place) for place in batch.workers],
        "base": Repo(run.tree).short(batch.base),
        "scope": run.config.scope,
        "message": "make one edit in each path and commit it there with a subject that says what; then close",
    }


def _refuse_unready(run: Run) -> None:
    trial_gate.refuse_batch(run)
    trial_gate.refuse_finished(run)
    if run.config.parallel_mode != "parallel":
        raise Refusal("this run is serial, expected --parallel-mode parallel, agreed at its start; use run_trial")
    if run.config.companions:
        raise Refusal("a batch works in one repository, this run has companions; use run_trial")
    trial_gate.refuse_edited(run)


def _planned(run: Run, shares: Sequence[slices.Slice], wish: BatchRequest) -> Batch:
    name = f"{run.tag}-{run.state.iteration + 1}"
    places = []
    tools = len(apart.possible(run.config, len(shares), False)[0]) if apart.is_noisy(run.config) else 1
    own = [TOOL, *(f"{TOOL}{number}" for number in range(2, tools + 1))] if wish.crew else []
    for letter, share in (*zip(_LETTERS, shares), *((name, shares[-1]) for name in own)):
        path = checkouts.worktree_path(run.layout.root, f"{name}-{letter}")
        branch = f"{branches.PREFIX}{name}-{letter}"
        if os.path.lexists(path) or Repo(run.tree).exists(f"refs/heads/{branch}"):
            raise Refusal(f"{path} or branch {branch} exists, expected to make it; remove it and repeat the command")
        places.append(WorkerPlace(letter, str(path), branch, share.devices, share.environment))
    batch = Batch(_mark(run), Repo(run.tree).head(), tuple(places), setup=wish.setup, links=wish.links)
    return replace(batch, crew=wish.crew, proved=not wish.crew)


def _mark(run: Run) -> str:
    return f"batch-{run.tag}-{run.state.iteration + 1}-{time.time_ns()}"


def reopened(run: Run, batch: Batch) -> Batch:
    """The next batch in the same worktrees, which get the retained state; what git ignores in them stays.

    The note of the old batch stands until all are ready: it is recorded, so a kill on the way is mended by `close`.
    """
    head = Repo(run.tree).head()
    for place in batch.places:
        renew(run, place.path, head)
    drop_results(run)
    return replace(batch, mark=_mark(run), base=head, applied="", runners=()).write(run.layout.evidence)


def make(run: Run, batch: Batch, place: WorkerPlace) -> None:
    """The folder of a place, with what the checks need; raises `Refusal` where they lack something in it."""
    path = Path(place.path)
    checkouts.Branches(run.tree).add_worktree(path, place.branch, batch.base)
    (Repo(path).git_dir() / POINTER).write_text(f"{run.layout.root}\n", "utf-8")
    checkouts.furnish(run.layout.root, path, checkouts.IsolationRequest("worktree", run.tag, batch.setup, batch.links))
    skill_paths.lay(run.layout.root, path, run.config)
    lacking = evaluator_lock.changed(path, evaluator_lock.known(run.log))
    if lacking:
        raise Refusal(
            f"a fresh checkout lacks or changes {listing(lacking)}, which the checks need; name it with --link, "
            "or make it with --setup"
        )


def prove(run: Run, batch: Batch, place: WorkerPlace) -> None:
    """This worker's tree stands for all: raises `Refusal` where the check does not see it. Costs one run of it.

    Nobody else measures in the main tree, and no other worker of a crew edits this one.
    """
    bench = bench_of(run, batch, place, evidence.workers_folder(run.layout.evidence))
    canary.prove(run.tree, bench, [Sample(run.state.current_metric, "", bench.limit.soft or 60.0, 0)])


def bench_of(run: Run, batch: Batch, place: WorkerPlace, folder: Path) -> Bench:
    """Where the check is run in a place that holds the retained code; what it prints goes to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return Bench(
        *(Path(place.path), folder, run.config, trial.limit_of(run), f"{batch.mark}-{place.id}"),
        lock=evaluator_lock.known(run.log),
        guarded=Guarded() if batch.crew else tree.guarded(run, [run.tree]),
    )


def abort(layout: Layout) -> dict[str, Any]:
    """Drop a batch with all that its workers did; the retained state is as before."""
    with alone(layout) as mended:
        run, batch = context.load(layout), read(layout)
        take_back(run, batch)
        drop(run, batch)
    return {"aborted": [place.id for place in batch.places], **({"recovered": mended} if mended else {})}


def take_back(run: Run, batch: Batch) -> Batch:
    """The main tree without a winner that a killed `close` had put there uncommitted."""
    process.end_marked(batch.mark, 2.0)
    for place in batch.places:
        intent.end(run.layout, f"{batch.mark}-{place.id}")
    if not batch.applied:
        return batch
    if not is_recorded(run, batch):
        Repo(run.tree).finish_switch(batch.applied, batch.base)
    return replace(batch, applied="").write(run.layout.evidence)


def drop(run: Run, batch: Batch) -> None:
    """Remove worktrees, branches, what was measured, and last the note. Safe to repeat."""
    for place in batch.places:
        remove(run, place)
    drop_results(run)
    evidence.batch_path(run.layout.evidence).unlink(missing_ok=True)


def remove(run: Run, place: WorkerPlace) -> None:
    """Remove the folder of a place and its branch, as far as they are there."""
    repo = checkouts.Branches(run.tree)
    stale.clear(Path(place.path), 0.0)
    repo.remove_worktree(Path(place.path))
    if repo.exists(f"refs/heads/{place.branch}"):
        repo.forget_branch(place.branch)


def drop_results(run: Run) -> None:
    """Remove what workers have measured."""
    import shutil

    shutil.rmtree(evidence.workers_folder(run.layout.evidence), ignore_errors=True)


def is_recorded(run: Run, batch: Batch) -> int:
    """The iteration under which this batch is in the log, 0 when it is not."""
    found: Iterator[Mapping[str, Any]] = (e for e in run.log.events if e.get("batch") == batch.mark)
    return next((int(event["iteration"]) for event in found), 0)
