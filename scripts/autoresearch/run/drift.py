"""Recalibration: the retained state is measured again, and the evaluator and HEAD of now become the ones in force."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ..core import noise
from ..core.errors import Refusal
from ..core.frozen import replace
from ..core.rows import Row
from ..core.text import listing
from ..disk import evidence, journal, locks
from ..disk.layout import Layout
from ..system.git import Repo
from . import context, evaluator, measure, paired, record, tree
from .context import Run
from .record import Report


def append(layout: Layout, report: Report) -> tuple[Run, Row]:
    """Record a drift row, reported or measured; raises `Refusal` when the tree is not the retained one."""
    run = context.load(layout)
    if not run.config.measured:
        return record.append(layout, report)
    record.check(run, replace(report, status="blocked"))
    with locks.held(layout.evidence / "trial.lock", "a trial is running here, expected none; wait for it"):
        run = context.load(layout)
        _refuse_dirty(run)
        samples = _samples(run)
        calibration = noise.calibrate(
            [s.value for s in samples if s.value is not None],
            [s.seconds for s in samples],
            run.config.max_runs,
            float(run.config.alpha),
        )
        return _write(layout, replace(report, metric=calibration.center), samples)


def _refuse_dirty(run: Run) -> None:
    for item in tree.edits(run):
        if item.inside:
            raise Refusal(
                f"uncommitted edits in {listing(item.inside)}: a drift measures the retained state alone; "
                "undo or stash them, then repeat"
            )


def _samples(run: Run) -> list[measure.Sample]:
    folder = evidence.folder(run.layout.evidence, run.state.iteration + 1)
    shutil.rmtree(folder, ignore_errors=True)
    bench = measure.Bench(run.tree, folder, run.config, measure.limit_of(run.config, None), f"drift-{os.getpid()}")
    samples = [measure.verify(bench, f"verify-{n + 1}") for n in range(paired.repeats(run.config, None))]
    bad = next((sample.problem for sample in samples if sample.value is None), "")
    if bad:
        raise Refusal(f"the check gives no number ({bad}), expected one; repair it, or record --status blocked")
    return samples


def _write(layout: Layout, report: Report, samples: list[measure.Sample]) -> tuple[Run, Row]:
    with context.writing(layout) as (run, held):
        number = run.state.iteration + 1
        heads = {name: Repo(Path(where)).head() for name, (where, _) in run.trees().items()}
        primary = heads[str(layout.root)]
        row = record.row_of(run, replace(report, commit=Repo(run.tree).short(primary)))
        events: list[journal.Event] = [
            {"kind": "evaluator", "files": evaluator.lock(run.tree, run.config)},
            {"kind": "heads", "iteration": number, "heads": heads},
            {"kind": "samples", "iteration": number, "samples": [sample.to_dict() for sample in samples]},
        ]
        return context.save(run, held.append(events, [row])), row
