"""Recalibration: the retained state is measured again, and the evaluator and HEAD of now become the ones in force."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..kernel.core import log_events
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import replace
from ..kernel.core.rows import Row
from ..kernel.core.settings import Config
from ..kernel.core.text import listing
from ..kernel.disk import evidence, hashes, journal
from ..kernel.disk.layout import Layout
from ..kernel.run import context, evaluator_lock, exact, intent, leftovers, measure, tree, trial_gate
from ..kernel.run.context import Run
from ..kernel.system.git import Repo
from ..machine import load
from ..setup import ahead, baseline, evaluator, stashed
from . import record
from .record import Report

# Runs of a noisy metric at a drift, and the seconds between them: one burst of other work must not hit them all.
SPACED, PAUSE = 5, 2.0


def append(layout: Layout, report: Report, more: Sequence[journal.Event] = ()) -> tuple[Run, Row]:
    """Record a drift row, reported or measured, with `more` events in the same write.

    Raises `Refusal` when the tree is not the retained one.
    """
    run = context.load(layout)
    if not run.config.measured:
        return record.append(layout, report, more)
    record.check(run, replace(report, status="blocked"))
    with intent.alone(layout):
        run = context.load(layout)
        _refuse_dirty(run)
        _refuse_busy(run)
        before = {item.repo: item.untracked for item in tree.edits(run)}
        moved = evaluator_lock.violated(run)
        stamps = hashes.stamps(run.tree, evaluator.files(run.tree, run.config))
        samples = _samples(run)
        known = map(str, next(run.log.backwards("evaluator"), {}).get("written", ()))
        made = tuple(dict.fromkeys((*known, *evaluator.written(run.tree, run.config, stamps))))
        folder = evidence.folder(layout.evidence, run.state.iteration + 1)
        left = leftovers.settle(run, before, folder, moved)
        return _write(run, report, samples, [*left, *more], made)


def _refuse_dirty(run: Run) -> None:
    for item in tree.edits(run):
        if item.inside:
            raise Refusal(
                f"uncommitted edits in {listing(item.inside)}: a drift measures the retained state alone; "
                "undo or stash them, then repeat"
            )


def _refuse_busy(run: Run) -> None:
    """A number by the clock of a busy moment would move the scale of all that follows; where no trial is made without
    a drift, it is measured all the same."""
    now = load.read()
    if now.busy and not _is_asked_for(run) and run.config.noise.get("kind") == "noisy":
        raise Refusal(
            f"{now}, expected a calm machine: a drift measured now would move the scale; nothing was recorded, "
            "repeat the command when it is calm (trials compare in turns and need no drift)"
        )


def _is_asked_for(run: Run) -> bool:
    """Whether no trial is made before a drift: HEAD or the evaluator has moved."""
    try:
        for item in tree.edits(run):
            trial_gate.refuse_moved_head(run, item)
    except Refusal:
        return True
    return bool(evaluator_lock.violated(run))


def _samples(run: Run) -> list[measure.Sample]:
    folder = evidence.folder(run.layout.evidence, run.state.iteration + 1)
    evidence.fresh_folder(run.layout.evidence, run.state.iteration + 1)
    config = replace(run.config, metric_form={})  # a new check may print its number in another way
    guarded, mark = tree.guarded(run, [run.tree]), f"drift-{os.getpid()}"
    bench = measure.Bench(run.tree, folder, config, measure.limit_of(config, None), mark, guarded=guarded)
    named = evaluator_lock.results(run.log)
    with ahead.of(replace(bench, results=named), exact.rule().wanted(config, ())) as at_once:
        samples = _one_by_one(bench)
    return _one_by_one(bench) if at_once and len({sample.value for sample in samples}) > 1 else samples


def _one_by_one(bench: measure.Bench) -> list[measure.Sample]:
    config = bench.config
    samples: list[measure.Sample] = []
    while len(samples) < _wanted(config, samples):
        samples.append(measure.verify(bench, f"verify-{len(samples) + 1}"))
        if bad := samples[-1].problem:
            raise Refusal(f"the check gives no number ({bad}), expected one; repair it, or record --status blocked")
    return samples


def _wanted(config: Config, samples: Sequence[measure.Sample]) -> int:
    """Runs of a drift, given those made: as of a baseline, and several with pauses between where they differ."""
    usual: int = exact.rule().wanted(config, samples)
    if len({sample.value for sample in samples}) < 2:
        return usual
    if len(samples) < max(usual, SPACED):
        time.sleep(PAUSE)
    return max(usual, SPACED)


def _write(
    known: Run, report: Report, samples: list[measure.Sample], left: Sequence[journal.Event], made: Sequence[str]
) -> tuple[Run, Row]:
    with context.writing(known.layout) as (run, held):
        number = run.state.iteration + 1
        if run.state.iteration != known.state.iteration:
            raise Refusal(f"iteration {number - 1} was recorded while this measured, expected none; repeat the command")
        heads = {name: Repo(Path(where)).head() for name, (where, _) in run.trees().items()}
        primary = heads[str(known.layout.root)]
        config, found = exact.rule().calibrated(run.config, samples)
        moved = evaluator_lock.violated(run)
        note = f"{report.description} (evaluator changed: {listing(moved, 3)})" if moved else report.description
        commit = Repo(run.tree).short(primary)
        row = record.row_of(run, replace(report, description=note, commit=commit, metric=found.center))
        events: list[journal.Event] = [
            log_events.make("evaluator", iteration=number, **_locked(run, made), changed=list(moved)),
            log_events.make("config", config={"noise": config.noise, "metric_form": config.metric_form}),
            log_events.make("heads", iteration=number, heads=heads),
            *log_events.repos(number, record.all_commits(run, commit, _companions(run, heads))),
            *left,
            *stashed.events(run.trees(), ()),
            *baseline.foreign_events(tree.edits(run)),
            log_events.make("samples", iteration=number, samples=[sample.to_dict() for sample in samples]),
        ]
        return context.append(replace(run, config=config), held, events, [row]), row


def _companions(run: Run, heads: Mapping[str, str]) -> dict[str, str]:
    """Where the companions stand: what is retained from now on."""
    return {repo.path: heads[repo.path] for repo in run.config.companions if repo.path in heads}


def _locked(run: Run, made: Sequence[str]) -> journal.Event:
    """The lock from now on, without what the checks write themselves."""
    now = evaluator.lock(run.tree, run.config)
    files = {name: digest for name, digest in now.items() if name not in made}
    return {"files": files, "written": list(made), "results": list(evaluator_lock.results(run.log))}
