"""One worker's candidate: taken from its worktree, measured there in a process of its own, and the verdict kept.

A process for each worker, since what a check starts is told apart by the process that started it. The verdict lies in
the evidence until the batch is closed, so that a close that was killed, or a worker that was done early, costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..kernel.core import rows, scope
from ..kernel.core.errors import Postponed, Refusal
from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.text import listing, one_line
from ..kernel.disk import atomic, bytecode, evidence, locks, regular
from ..kernel.disk.layout import Layout
from ..kernel.run import context, evaluator_lock, intent, judge, measure, tree, trial, trial_gate
from ..kernel.run.context import Run
from ..kernel.run.intent import Intent
from ..kernel.run.judge import Verdict
from ..kernel.run.measure import Measurement
from ..kernel.system import interrupts, process
from ..kernel.system.git import Repo
from ..kernel.system.gittrees import Trees
from ..setup import unseen
from . import apart, child, verdicts
from . import batch as batches
from .batch import Batch, WorkerPlace

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

TRIES = 3  # of a worker whose measuring process was killed
TICK = 0.03  # seconds between looks
GRACE = 2.0


@dataclass(frozen=True)
class MeasuredWorker:
    """One worker's candidate: its commit on the batch's base ("" without a change), what it says, its patch."""

    place: WorkerPlace
    commit: str
    attempt: trial.Attempt
    patch: bytes = b""


def candidate(run: Run, batch: Batch, place: WorkerPlace) -> MeasuredWorker:
    """The worker's work as one commit on the base; raises `Refusal` for what a trial would not admit either."""
    repo = Repo(Path(place.path))
    if not repo.is_git() or not repo.exists(batch.base):
        raise Refusal(f"worker {place.id} has no folder {place.path} any more; autoresearch_run_batch.py abort")
    found = tree.sort(
        str(run.layout.root),
        repo.root,
        run.config.scope,
        run.log.of_kind("byproducts", "foreign"),
        run.layout.own_paths(),
    )
    _refuse_paths(place, (*found.outside, *found.unmerged))
    if found.inside:
        unseen.refuse_exposed(run.log.of_kind(*unseen.NAMED), found, batch.base, str(run.layout.root))
        repo.commit_paths(found.inside, f"experiment: worker {place.id}\n")
    head = repo.head()
    changed = repo.changed_paths(batch.base, head)
    _refuse_paths(place, scope.outside(changed, run.config.scope))
    moved = evaluator_lock.changed(repo.root, evaluator_lock.known(run.log))
    if moved:
        raise Refusal(
            f"worker {place.id} changed the evaluator ({listing(moved)}), which is locked; undo it, then close"
        )
    subject = repo.subject(head).replace("experiment: ", "", 1) if head != batch.base else "no change"
    labels, description = rows.describe(subject, ())
    attempt = trial.Attempt(description or f"worker {place.id}", labels)
    if not changed:
        return MeasuredWorker(place, "", attempt)
    message = f"experiment: {attempt.description}\n\nAutoresearch-Run: {run.tag}\n"
    commit = repo.commit_tree(head, batch.base, message)
    return MeasuredWorker(place, commit, attempt, repo.patch(batch.base, commit, evidence.PATCH_LIMIT))


def _refuse_paths(place: WorkerPlace, paths: Sequence[str]) -> None:
    if paths:
        raise Refusal(
            f"worker {place.id} changed {listing(paths)} outside the scope; undo that in {place.path}, then close"
        )


def verdict(run: Run, batch: Batch, worker: MeasuredWorker) -> Verdict | None:
    """What is known of a candidate without running it, or what was measured; None when it has yet to be."""
    return _known(run, worker) or _noted(run, batch, worker)


def _known(run: Run, worker: MeasuredWorker) -> Verdict | None:
    """What needs no measuring: no change, or a patch that was tried on this very state."""
    nothing = Measurement(None, "", ())
    if not worker.commit:
        return Verdict("no-op", "-", "no change", nothing)
    tried = trial_gate.tried_before(run, trial_gate.key_of(run, worker.patch))
    return Verdict("discard", "-", tried, nothing, tried.partition(";")[0]) if tried else None


def _path(run: Run, place: WorkerPlace, name: str) -> Path:
    return evidence.workers_folder(run.layout.evidence) / place.id / name


def _tree(worker: MeasuredWorker) -> str:
    """What was measured, by its content: its commit is made anew each time."""
    return Trees(Path(worker.place.path)).tree_of(worker.commit)


def _noted(run: Run, batch: Batch, worker: MeasuredWorker) -> Verdict | None:
    data = evidence.read_json(_path(run, worker.place, "verdict.json"))
    try:
        if data is None or (data["batch"], data["tree"]) != (batch.mark, _tree(worker)):
            return None
        return verdicts.unpacked(data["verdict"])
    except (KeyError, TypeError, AttributeError, ArithmeticError):
        return None


def measure_one(layout: Layout, letter: str) -> Mapping[str, Any]:
    """Measure one worker's candidate in its worktree, unless that was done; `run_batch measure`.

    Numbers that others would disturb wait for each other. Raises `Refusal` where the candidate is not admitted.
    """
    run, batch = context.load(layout), batches.read(layout)
    place = next((place for place in batch.places if place.id == letter), None)
    if place is None:
        raise Refusal(f"there is no worker {letter[:8]!r}, expected one of {listing([p.id for p in batch.places])}")
    folder = evidence.workers_folder(layout.evidence)
    with locks.held(folder / f"{letter}.lock", f"worker {letter} is being measured, expected nobody; wait for it"):
        worker = candidate(run, batch, place)
        found = verdict(run, batch, worker)
        if found is None:
            found = _alone(run, batch, worker)
    return {"worker": letter, "status": found.status, "metric": found.measurement.value, "reason": found.reason}


def _alone(run: Run, batch: Batch, worker: MeasuredWorker) -> Verdict:
    """Measure when no other run disturbs it; raises `Postponed` on a machine too busy to tell."""
    with apart.turn(run):
        found = _insistent(run, batch, worker)
    put_off(run, worker, found)
    told = {"batch": batch.mark, "tree": _tree(worker), "verdict": verdicts.packed(found)}
    evidence.write_json(_path(run, worker.place, "verdict.json"), told)
    return found


def put_off(run: Run, worker: MeasuredWorker, found: Verdict) -> None:
    """Raise `Postponed` for a verdict of a machine that was too busy to tell, the first times on the same content."""
    wait = found.measurement.wait if found.status in ("discard", "crash") else ""
    folder, key = evidence.workers_folder(run.layout.evidence) / worker.place.id, _tree(worker)
    note = evidence.postponed(folder)
    if wait and (note.get("key") != key or int(note.get("times", 0)) < trial.POSTPONED_AT_MOST):
        folder.mkdir(parents=True, exist_ok=True)
        evidence.note_postponed(folder, key, time.time(), wait)
        raise Postponed(wait)


def _insistent(run: Run, batch: Batch, worker: MeasuredWorker) -> Verdict:
    """The verdict; where a node failed or the machine hung, measured again, whole."""
    for left in reversed(range(TRIES)):
        try:
            return judged(run, batch, worker, evidence.workers_folder(run.layout.evidence) / worker.place.id)
        except Postponed:
            if not left:
                raise
    raise AssertionError


def judged(run: Run, batch: Batch, worker: MeasuredWorker, folder: Path) -> Verdict:
    """Measure a candidate in its worktree, which holds it, against the base; what is printed goes to `folder`."""
    where, base, mark = worker.place.path, batch.base, f"{batch.mark}-{worker.place.id}"
    mine = replace(run, config=replace(run.config, worktree=where, confirm=""))
    places = {str(run.layout.root): intent.TrialRepo(where, base, worker.commit)}
    note = Intent(run.state.iteration + 1, run.tag, mark, places)
    bytecode.forget(Path(where), Repo(Path(where)).changed_paths(base, worker.commit))
    evidence.write_bytes(folder / evidence.PATCH, worker.patch, 2 * evidence.PATCH_LIMIT)
    bench = measure.Bench(Path(where), folder, mine.config, trial.limit_of(run), mark, evaluator_lock.known(run.log))
    return judge.judge(mine, bench, note, worker.attempt.labels)


def start(run: Run, batch: Batch, place: WorkerPlace) -> process.Process:
    """A process that measures a worker, with the accelerators that are the worker's."""
    return child.start(run.layout, "measure", place, batch.mark, _path(run, place, "measure.txt"))


def measure_all(run: Run, batch: Batch, workers: Sequence[MeasuredWorker]) -> None:
    """Measure all of them side by side; raises `Refusal` where one gives no verdict, with the others' kept."""
    waiting = [worker for worker in workers if verdict(run, batch, worker) is None]
    try:
        for attempt in range(TRIES):
            waiting = _round(run, batch, waiting, attempt == TRIES - 1)
    except BaseException:
        process.end_marked(batch.mark, GRACE)
        raise


def _round(run: Run, batch: Batch, workers: Sequence[MeasuredWorker], last: bool) -> list[MeasuredWorker]:
    """Those whose measuring was killed, to be measured again."""
    children = [(worker, start(run, batch, worker.place)) for worker in workers]
    while any(child.poll() is None for _, child in children):
        interrupts.pause(TICK)
    left = [(worker, child.poll() or 0) for worker, child in children if verdict(run, batch, worker) is None]
    for worker, code in left:
        if code > 0 or last:
            said = one_line(regular.read_text(_path(run, worker.place, "measure.txt"), "replace"), 1000)
            said = said.partition("error: ")[2] or said or _unsaid(run)
            raise Refusal(f"worker {worker.place.id}: {said}")
    return [worker for worker, _ in left]


def _unsaid(run: Run) -> str:
    """Why a process left no word: on a full disk it could not."""
    if atomic.free_mb(run.layout.root) < 1:
        return f"no space is left on the disk of {run.layout.root}, expected some; free disk space, then close"
    return f"its measuring was ended {TRIES} times"
