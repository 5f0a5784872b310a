"""Closing a batch: every worker measured in its own worktree, the best one confirmed in the main tree, one write."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from decimal import Decimal

from ..kernel.core import log_events, numbers, supervise
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.rows import Row
from ..kernel.core.text import listing
from ..kernel.disk import evidence
from ..kernel.disk.layout import Layout
from ..kernel.run import budget, context, tree, trial, trial_gate
from ..kernel.run.context import Run
from ..kernel.system.git import Repo
from . import batch as batches
from . import measuring, runners, selection
from .batch import Batch
from .measuring import MeasuredWorker

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True)
class Measured:
    """A worker with its row, and what was measured, None where there is no number."""

    worker: MeasuredWorker
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


def close(layout: Layout, reopen: bool = False) -> Mapping[str, Any]:
    """Measure, pick, confirm, record, try the runners-up, clean up; with `reopen` the worktrees serve the next batch.

    Raises `Refusal` with the workers' folders as they were.
    """
    with batches.alone(layout) as mended:
        run, batch = context.load(layout), batches.read(layout)
        if batch.crew:
            raise Refusal("a controller's workers are at work here, expected a batch; runtime_ctl stop ends them")
        batch = batches.take_back(run, batch)
        done = batches.is_recorded(run, batch)
        if not done:
            batch = _settle(run, batch)
        run = context.load(layout)
        number = done or run.state.iteration
        _keep_evidence(layout, batch, number)
        tried = runners.try_all(layout, batch)
        return _answer(layout, batch, (number, mended, tried), reopen)


def _answer(layout: Layout, batch: Batch, done: tuple[int, str, list[dict[str, Any]]], reopen: bool) -> dict[str, Any]:
    """Clean up, or open anew where the run goes on; then what `close` says."""
    number, mended, tried = done
    run = context.load(layout)
    main = next(row for row in reversed(run.log.rows) if row.is_main and row.iteration == number)
    opened = {}
    if reopen and supervise.judge(run.config, run.mode, run.state, budget.spent(run)).decision == supervise.RELAUNCH:
        opened = {"opened": batches.described(run, batches.reopened(run, batch))}
    else:
        batches.drop(run, batch)
    more = {"runners_up": tried} if tried else {}
    return {**trial.answer(run, main, mended), "selected_worker": _selected(main), **more, **opened}


def _selected(main: Row) -> str | None:
    """The winner as the main row names it, for a batch that an earlier call recorded."""
    head, _, rest = main.description.partition("selected worker-")
    return rest.partition(":")[0] if head == "[PARALLEL batch] " else None


def _settle(run: Run, batch: Batch) -> Batch:
    """Measure and record; the batch with the runners-up that are left to try."""
    trial_gate.refuse_finished(run)
    edited = [path for item in trial_gate.admitted(run, tree.edits(run)) for path in item.inside]
    if edited:
        raise Refusal(
            f"{listing(edited)} of the main checkout was edited while the batch was open, expected edits in the "
            "workers' folders; make it in one of them and take it back here, then close"
        )
    workers = [measuring.candidate(run, batch, place) for place in batch.places]
    _refuse_overtaken(run, batch, workers)
    measuring.measure_all(run, batch, workers)
    measured = [_measured(run, batch, worker) for worker in workers]
    event = log_events.make("batch", iteration=run.state.iteration + 1, rows=len(measured) + 1, batch=batch.mark)
    best = next(iter(_ranked(run, measured)), None)
    lines = [item.row if item is best else selection.passed_over(item.row) for item in measured]
    if best is None:
        _record_none(run, event, lines, [item.told() for item in measured])
        return batch
    rest = [item for item in _ranked(run, measured) if item is not best]
    batch = replace(batch, runners=tuple(item.worker.commit for item in rest))
    return _confirm(run, batch, best, event, lines)


def _refuse_overtaken(run: Run, batch: Batch, workers: Sequence[MeasuredWorker]) -> None:
    """What was committed in the main tree meanwhile (a drift) touches other files than the workers do."""
    repo = Repo(run.tree)
    moved = set(repo.changed_paths(batch.base, repo.head()))
    for worker in workers:
        both = moved.intersection(repo.changed_paths(batch.base, worker.commit) if worker.commit else ())
        if both:
            raise Refusal(
                f"worker {worker.place.id} changed {listing(sorted(both))}, which a commit in the main checkout "
                f"changed too while the batch was open; undo it in {worker.place.path}, then close, or abort the batch"
            )


def _measured(run: Run, batch: Batch, worker: MeasuredWorker) -> Measured:
    """The worker's verdict in its own worktree; the held-out check is for the winner alone."""
    verdict = measuring.verdict(run, batch, worker)
    assert verdict is not None  # `measure_all` saw to it
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


def _ranked(run: Run, measured: Sequence[Measured]) -> list[Measured]:
    """Those that may be kept: the best metric first, then the smaller patch, then the letter."""
    sign = 1 if run.config.direction == "lower" else -1
    kept = [item for item in measured if item.keeps]
    return sorted(kept, key=lambda m: (sign * (m.row.metric or 0), len(m.worker.patch), m.worker.place.id))


def _record_none(run: Run, event: Mapping[str, Any], workers: Sequence[Row], told: Sequence[selection.Worker]) -> None:
    """Nothing may be kept: one discard."""
    main = selection.main_row(run, run.state.iteration + 1, None, told)
    with context.writing(run.layout) as (fresh, held):
        context.append(fresh, held, [event], [*workers, main])


def _confirm(run: Run, batch: Batch, best: Measured, event: Mapping[str, Any], workers: Sequence[Row]) -> Batch:
    """The winner as a normal candidate in the main tree; the batch is recorded with its outcome."""
    worker = best.worker
    batch = replace(batch, applied=worker.commit).write(run.layout.evidence)
    Repo(run.tree).switch_content(batch.base, worker.commit)
    said = f"[PARALLEL batch] selected worker-{worker.place.id}: {worker.attempt.description}"
    attempt = replace(worker.attempt, description=said)
    trial.experiment(run, attempt, trial_gate.admitted(run, tree.edits(run)), [event], workers)
    return batch


def _keep_evidence(layout: Layout, batch: Batch, number: int) -> None:
    """The workers' captured output to the iteration's folder; a batch without a winner has no other."""
    for place in batch.places:
        source = evidence.workers_folder(layout.evidence) / place.id
        target = evidence.folder(layout.evidence, number) / place.id
        if source.is_dir() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(source, target)
