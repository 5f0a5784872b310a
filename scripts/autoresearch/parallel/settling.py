"""One worker's proposal turned into a row: brought up to the retained state, measured, kept or thrown away.

A proposal that is alone is measured in the main tree, as any trial is; so are all with a noisy metric, one after the
other. Where several are settled at once they are measured in their own worktrees, side by side; of these only a
would-be keep is measured once more, on the merged tree. What was measured on a state that has gone is measured again.
"""

from __future__ import annotations

from pathlib import Path

from ..kernel.core.errors import Postponed, Refusal
from ..kernel.core.frozen import replace
from ..kernel.disk import bytecode, evidence, locks
from ..kernel.disk.layout import Layout
from ..kernel.run import context, trial, trial_gate
from ..kernel.run.context import Run
from ..kernel.run.judge import Verdict
from ..kernel.system.git import GitError, Repo
from ..kernel.system.gittrees import Trees
from . import batch as batches
from . import measuring, proposed, runners
from .anew import Worktree
from .batch import Batch, Place
from .proposed import Proposal

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

HOW = "in your own folder, with run_batch propose in place of run_trial"
ASIDE = 3  # times that a proposal is measured beside the main tree before it waits for it


def settle(layout: Layout, letter: str) -> Mapping[str, Any]:
    """Settle the worker's proposal; {} when it has none. The worker's folder then holds the retained state.

    Raises `Refusal` where the run is over or the proposal is not admitted, with the proposal dropped, and `Postponed`
    where the machine is too busy, with the proposal kept.
    """
    batch = batches.read(layout)
    place = proposed.place_of(batch, letter)
    proposal = proposed.read(layout, letter)
    if proposal is None:
        return {}
    folder = evidence.workers_folder(layout.evidence)
    with locks.held(folder / f"{letter}.lock", f"worker {letter} is being settled, expected nobody; wait for it"):
        try:
            answer = _settled(layout, batch, place, proposal)
        except Postponed:
            raise
        except Refusal:
            anew(layout, place)
            raise
        anew(layout, place)
        return answer


def anew(layout: Layout, place: Place) -> None:
    """The worker's folder as the retained state is; what git ignores in it stays."""
    run = context.load(layout)
    head, repo = _retained(run)[0], Worktree(Path(place.path))
    bytecode.forget(repo.root, repo.changed_paths(repo.head(), head))
    repo.start_anew(head)
    proposed.note_base(layout, place, head)
    proposed.drop(layout, place.id)


def forget(layout: Layout, place: Place) -> None:
    """A session ended without a proposal: its edit goes, kept as a patch."""
    run, batch = context.load(layout), batches.read(layout)
    _saved(run, batch, place)
    anew(layout, place)


def _settled(layout: Layout, batch: Batch, place: Place, proposal: Proposal) -> Mapping[str, Any]:
    turn = evidence.workers_folder(layout.evidence) / "main.lock"
    for _ in range(ASIDE):
        run = context.load(layout)
        trial_gate.refuse_finished(run)
        if run.config.noise.get("kind") == "noisy" or not _others(layout, batch, place):
            break
        known = _aside(run, batch, place, proposal)
        with locks.held(turn, "", wait=True):
            if known.status == "keep" or _retained(context.load(layout))[1] == _retained(run)[1]:
                return _in_main(layout, place, proposal, None if known.status == "keep" else known)
    with locks.held(turn, "", wait=True):
        return _in_main(layout, place, proposal, None)


def _others(layout: Layout, batch: Batch, place: Place) -> bool:
    """Whether another worker's proposal is being settled: then the main tree is for what is short, and for keeps."""
    folder = evidence.workers_folder(layout.evidence)
    return any(locks.is_held(folder / f"{other.id}.lock") for other in batch.places if other.id != place.id)


def _retained(run: Run) -> tuple[str, str]:
    """The commit and the content that the log's last row left; HEAD is elsewhere while somebody's trial runs."""
    primary = str(run.layout.root)
    heads = (event["heads"] for event in reversed(run.log.events) if event.get("kind") == "heads")
    commit = next((found[primary] for found in heads if primary in found), "") or Repo(run.tree).head()
    return commit, Trees(run.tree).tree_of(commit)


def _aside(run: Run, batch: Batch, place: Place, proposal: Proposal) -> Verdict:
    """The verdict on the proposal, brought up to the retained state, in the worker's own worktree."""
    head, _ = _retained(run)
    message = f"experiment: {proposal.description}\n\nAutoresearch-Run: {run.tag}\n"
    commit = Trees(run.tree).commit_tree(_content(run, place, proposal), head, message)
    repo = Worktree(Path(place.path))
    bytecode.forget(repo.root, repo.changed_paths(repo.head(), commit))
    repo.start_anew(commit)
    worker = measuring.Worker(place, commit, _attempt(place, proposal))
    return measuring.judged(run, batches.solo(batch, place, head), worker)


def _in_main(layout: Layout, place: Place, proposal: Proposal, known: Verdict | None) -> Mapping[str, Any]:
    """The proposal as an experiment of the main tree; `known` is its verdict where that was measured on this state."""
    with batches.alone(layout) as mended:
        run = context.load(layout)
        trial_gate.refuse_finished(run)
        attempt = replace(_attempt(place, proposal), content=_content(run, place, proposal))
        after, row = runners.put(run, attempt, known)
        answer = dict(trial.answer(after, row, mended))
        answer["next"] = {**answer["next"], "how": HOW}
        return answer


def _content(run: Run, place: Place, proposal: Proposal) -> str:
    """The tree of the retained state with the proposal in it; raises `Refusal` where they conflict."""
    content = runners.on_top(run, proposal.base, proposal.commit, _retained(run)[1])
    if content:
        return content
    folder = evidence.folder(run.layout.evidence, run.state.iteration + 1)
    evidence.add_patch(
        folder / "undone.diff", Repo(run.tree).patch(proposal.base, proposal.commit, evidence.PATCH_LIMIT)
    )
    raise Refusal(
        f"the proposal of worker {place.id} does not apply to what is retained by now, or is in it already; its patch "
        f"is in {folder.name}/undone.diff of the evidence, make what is still wanted of it anew"
    )


def _attempt(place: Place, proposal: Proposal) -> trial.Attempt:
    said = {name: getattr(proposal, name) for name in ("labels", "hypothesis", "searched", "lessons")}
    return trial.Attempt(f"[PARALLEL worker-{place.id}] {proposal.description}", knowing=True, **said)


def give_up(layout: Layout) -> str:
    """Drop a crew that nobody works for any more; what its workers had not settled stays as a patch. "" without one.

    The caller holds no lock of the run; raises `Refusal` where a trial runs.
    """
    if not evidence.batch_path(layout.evidence).exists():
        return ""
    with batches.alone(layout):
        run, batch = context.load(layout), batches.read(layout)
        if not batch.crew:
            return ""
        batches.take_back(run, batch)
        kept = [place.id for place in batch.places if _saved(run, batch, place)]
        batches.drop(run, batch)
    return f"what workers {', '.join(kept)} had not settled is kept as a patch" if kept else ""


def _saved(run: Run, batch: Batch, place: Place) -> bool:
    """Keep what a worker has changed beside the attempts that were undone; whether there was anything."""
    base = proposed.base_of(run.layout, batch, place)
    try:
        patch = measuring.candidate(run, batches.solo(batch, place, base), place).patch
    except (Refusal, GitError):
        return False
    folder = evidence.folder(run.layout.evidence, run.state.iteration + 1)
    if patch:
        evidence.add_patch(folder / "undone.diff", patch)
    return bool(patch)
