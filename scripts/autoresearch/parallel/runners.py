"""Runners-up of a batch: losers that gained, tried one by one on top of the winner where their patch applies."""

from __future__ import annotations

from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import replace
from ..kernel.core.rows import Row, describe
from ..kernel.core.statuses import those
from ..kernel.disk import evidence
from ..kernel.disk.layout import Layout
from ..kernel.run import context, tree, trial, trial_gate
from ..kernel.run.context import Run
from ..kernel.run.judge import Verdict
from ..kernel.system.gittrees import Trees
from .batch import Batch

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any


def try_all(layout: Layout, batch: Batch) -> list[dict[str, Any]]:
    """One trial for each, with a row of its own; what came of it. The caller holds the trial lock.

    Each is taken off the durable note before it is tried: killed on the way it is undone, and the next ones follow.
    None is tried where the winner was not kept, and none more once the run is over.
    """
    told = []
    while batch.runners:
        commit, rest = batch.runners[0], batch.runners[1:]
        batch = replace(batch, applied="", runners=rest).write(layout.evidence)
        run = context.load(layout)
        if not _on_winner(run):
            break
        told += _tried(run, batch, commit)
    return told


def _on_winner(run: Run) -> bool:
    """Whether the last batch has a winner that was kept."""
    event = next(run.log.backwards("batch"), {})
    number = event.get("iteration")
    return any(r.is_main and r.iteration == number and r.status in those("retains") for r in run.log.rows)


def _tried(run: Run, batch: Batch, commit: str) -> list[dict[str, Any]]:
    """The runner-up as a trial of the tool's own; nothing where it does not apply, or adds nothing."""
    repo = Trees(run.tree)
    content = on_top(run, batch.base, commit, repo.tree_of(repo.head()))
    if not content:
        return []
    labels, said = describe(repo.subject(commit).replace("experiment: ", "", 1), ())
    attempt = trial.Attempt(f"[PARALLEL runner-up] {said}", labels, knowing=True, content=content)
    try:
        trial_gate.refuse_finished(run)
        _, row = put(run, attempt)
    except Refusal:  # the run is over, the patch was tried, the machine is too busy: the batch stands all the same
        return []
    return [{"iteration": row.iteration, "status": row.status, "metric": row.metric, "description": row.description}]


def on_top(run: Run, base: str, commit: str, tree: str) -> str:
    """The tree that `commit` (on `base`) makes on top of `tree`, merged three-way; "" where it conflicts, or adds
    nothing."""
    repo = Trees(run.tree)
    is_current = repo.tree_of(base) == tree  # as where nothing was kept meanwhile
    content = repo.tree_of(commit) if is_current else repo.patched(tree, repo.patch(base, commit, evidence.PATCH_LIMIT))
    return "" if content == tree else content


def put(run: Run, attempt: trial.Attempt, known: Verdict | None = None) -> tuple[Run, Row]:
    """An attempt with a `content` as an experiment in the main tree; `known` is a verdict that needs no measuring."""
    repo = Trees(run.tree)
    first, *others = tree.edits(run)
    paths = tuple(entry.path for entry in repo.entries(repo.tree_of(repo.head()), attempt.content))
    return trial.experiment(run, attempt, [replace(first, inside=paths), *others], known=known)
