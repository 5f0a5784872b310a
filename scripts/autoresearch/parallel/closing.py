"""Closing a batch: every worker measured in its own worktree, the best one confirmed in the main tree, one write."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from ..kernel.core import log_events, numbers, rows, scope
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.rows import Row
from ..kernel.core.text import listing
from ..kernel.disk import bytecode, evidence
from ..kernel.disk.layout import Layout
from ..kernel.run import context, evaluator_lock, intent, isolation, judge, measure, tree, trial, trial_gate, unseen
from ..kernel.run.context import Run
from ..kernel.run.intent import Intent
from ..kernel.run.judge import Verdict
from ..kernel.run.measure import Measurement
from ..kernel.system.git import GitError, Repo
from . import batch as batches
from . import selection
from .batch import Batch, Place

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True)
class Worker:
    """One worker's candidate: its commit on the batch's base ("" without a change), what it says, its patch."""

    place: Place
    commit: str
    attempt: trial.Attempt
    patch: bytes = b""


@dataclass(frozen=True)
class Measured:
    """A worker with its row, and what was measured, None where there is no number."""

    worker: Worker
    row: Row
    metric: Decimal | None

    @property
    def keeps(self) -> bool:
        """Whether it may be kept."""
        return self.row.status == "keep"

    def told(self) -> selection.Worker:
        """As a worker reports itself."""
        row, said = self.row, self.worker.attempt.description
        size = len(self.worker.patch)
        return selection.Worker(row.worker, said, row.commit, self.metric, row.guard, labels=row.labels, diff_size=size)


def close(layout: Layout) -> Mapping[str, Any]:
    """Measure, pick, confirm, record, clean up; raises `Refusal` with the workers' folders as they were."""
    try:
        with batches.alone(layout) as mended:
            run, batch = context.load(layout), batches.read(layout)
            batch = batches.take_back(run, batch)
            done = batches.is_recorded(run, batch)
            winner = "" if done else _settle(run, batch)
            run = context.load(layout)
            number = done or run.state.iteration
            _keep_evidence(layout, batch, number)
            batches.drop(run, batch)
            main = next(row for row in reversed(run.log.rows) if row.is_main and row.iteration == number)
            return {**trial.answer(run, main, mended), "selected_worker": winner or _selected(main)}
    except GitError as error:
        raise isolation.explained(error, context.load(layout).tree) from None


def _selected(main: Row) -> str | None:
    """The winner as the main row names it, for a batch that an earlier call recorded."""
    head, _, rest = main.description.partition("selected worker-")
    return rest.partition(":")[0] if head == "[PARALLEL batch] " else None


def _settle(run: Run, batch: Batch) -> str:
    """Measure and record; returns the winner's id, or ""."""
    trial_gate.refuse_finished(run)
    if any(item.inside for item in trial_gate.admitted(run, tree.edits(run))):
        raise Refusal("the main checkout was edited while the batch was open, expected edits in the workers' folders")
    workers = [_candidate(run, batch, place) for place in batch.places]
    measured = [_measured(run, batch, worker) for worker in workers]
    event = log_events.make("batch", iteration=run.state.iteration + 1, rows=len(measured) + 1, batch=batch.mark)
    best = _best(run, measured)
    lines = [item.row if item is best else selection.passed_over(item.row) for item in measured]
    if best is None:
        _record_none(run, event, lines, [item.told() for item in measured])
        return ""
    _confirm(run, batch, best, event, lines)
    return best.worker.place.id


def _candidate(run: Run, batch: Batch, place: Place) -> Worker:
    """The worker's work as one commit on the base; raises `Refusal` for what a trial would not admit either."""
    repo = Repo(Path(place.path))
    if not repo.is_git() or not repo.exists(batch.base):
        raise Refusal(f"worker {place.id} has no folder {place.path} any more; autoresearch_run_batch.py abort")
    found = tree.sort(str(run.layout.root), repo.root, run.config.scope, run.log.events, run.layout.own_paths())
    _refuse_paths(place, (*found.outside, *found.unmerged))
    if found.inside:
        unseen.refuse_exposed(run.log.events, found, batch.base, str(run.layout.root))
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
        return Worker(place, "", attempt)
    message = f"experiment: {attempt.description}\n\nAutoresearch-Run: {run.tag}\n"
    commit = repo.commit_tree(head, batch.base, message)
    return Worker(place, commit, attempt, repo.patch(batch.base, commit, evidence.PATCH_LIMIT))


def _refuse_paths(place: Place, paths: Sequence[str]) -> None:
    if paths:
        raise Refusal(
            f"worker {place.id} changed {listing(paths)} outside the scope; undo that in {place.path}, then close"
        )


def _measured(run: Run, batch: Batch, worker: Worker) -> Measured:
    """The worker's verdict in its own worktree; the held-out check is for the winner alone."""
    verdict = _known(run, worker) or _judged(run, batch, worker)
    number, current = run.state.iteration + 1, run.state.current_metric
    metric = current if verdict.measurement.value is None else verdict.measurement.value
    delta = numbers.signed(numbers.difference(metric, current))
    said = f"[PARALLEL worker-{worker.place.id}] {worker.attempt.description}"
    text = said + (f" ({verdict.note})" if verdict.note else "")
    commit = Repo(run.tree).short(worker.commit) if worker.commit else "-"
    row = Row(
        number, worker.place.id, commit, metric, delta, verdict.guard, verdict.status, worker.attempt.labels, text
    )
    return Measured(worker, row, verdict.measurement.value)


def _known(run: Run, worker: Worker) -> Verdict | None:
    """What needs no measuring: no change, or a patch that was tried on this very state."""
    nothing = Measurement(None, "", ())
    if not worker.commit:
        return Verdict("no-op", "-", "no change", nothing)
    tried = trial_gate.tried_before(run, trial_gate.key_of(run, worker.patch))
    return Verdict("discard", "-", tried, nothing, tried.partition(";")[0]) if tried else None


def _judged(run: Run, batch: Batch, worker: Worker) -> Verdict:
    where, base = worker.place.path, batch.base
    mine = replace(run, config=replace(run.config, worktree=where, confirm=""))
    places = {str(run.layout.root): intent.Place(where, base, worker.commit)}
    note = Intent(run.state.iteration + 1, run.tag, batch.mark, places)
    folder = evidence.workers_folder(run.layout.evidence) / worker.place.id
    bytecode.forget(Path(where), Repo(Path(where)).changed_paths(base, worker.commit))
    evidence.write_bytes(folder / "patch.diff", worker.patch, 2 * evidence.PATCH_LIMIT)
    bench = measure.Bench(
        Path(where), folder, mine.config, trial.limit_of(run), batch.mark, evaluator_lock.known(run.log)
    )
    return judge.judge(mine, bench, note, worker.attempt.labels)


def _best(run: Run, measured: Sequence[Measured]) -> Measured | None:
    """The best metric, then the smaller patch, then the letter."""
    sign = 1 if run.config.direction == "lower" else -1
    kept = [item for item in measured if item.keeps]
    return min(kept, key=lambda m: (sign * (m.row.metric or 0), len(m.worker.patch), m.worker.place.id), default=None)


def _record_none(run: Run, event: Mapping[str, Any], workers: Sequence[Row], told: Sequence[selection.Worker]) -> None:
    """Nothing may be kept: one discard."""
    main = selection.main_row(run, run.state.iteration + 1, None, told)
    with context.writing(run.layout) as (fresh, held):
        context.append(fresh, held, [event], [*workers, main])


def _confirm(run: Run, batch: Batch, best: Measured, event: Mapping[str, Any], workers: Sequence[Row]) -> None:
    """The winner as a normal candidate in the main tree; the batch is recorded with its outcome."""
    worker = best.worker
    replace(batch, applied=worker.commit).write(run.layout.evidence)
    Repo(run.tree).switch_content(batch.base, worker.commit)
    said = f"[PARALLEL batch] selected worker-{worker.place.id}: {worker.attempt.description}"
    attempt = replace(worker.attempt, description=said)
    trial.experiment(run, attempt, trial_gate.admitted(run, tree.edits(run)), [event], workers)


def _keep_evidence(layout: Layout, batch: Batch, number: int) -> None:
    """The workers' captured output to the iteration's folder; a batch without a winner has no other."""
    for place in batch.places:
        source = evidence.workers_folder(layout.evidence) / place.id
        target = evidence.folder(layout.evidence, number) / place.id
        if source.is_dir() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(source, target)
