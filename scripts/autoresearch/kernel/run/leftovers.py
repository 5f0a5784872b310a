"""What checks leave in the trees: told from the user's work, undone where it is theirs, noted where it stays."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from .. import ports
from ..core import log_events
from ..disk import evidence
from ..disk.journal import Event
from ..system.git import Repo
from . import evaluator_lock, tree
from .context import Run
from .tree import Edits


def byproducts(item: Edits, before: Collection[str]) -> list[Event]:
    """The event that names the untracked paths which appeared since `before`; a wholly new folder is one entry."""
    new = [path for path in item.untracked if path not in before]
    if not new:
        return []
    folders = [root for root in Repo(item.tree).untracked_roots() if root.endswith("/")]
    whole = tuple(root for root in folders if not any(path.startswith(root) for path in before))
    paths = {next((root for root in whole if path.startswith(root)), path) for path in new}
    return [log_events.make("byproducts", repo=item.repo, paths=sorted(paths)[:200])]


def rewritten(item: Edits) -> tuple[str, ...]:
    """Tracked paths that differ from HEAD and are not the user's unchanged work."""
    return tuple(path for path in (*item.inside, *item.outside) if path not in item.untracked)


def settle(
    run: Run, before: Mapping[str, Collection[str]], folder: Path, standing: Collection[str] = ()
) -> list[Event]:
    """Undo what the checks of a trial did to tracked files, and return the events for what else they left.

    Undone are files in scope, the evaluator's, and those that the baseline's checks wrote already, but for the
    evaluator's `standing` changes, which a recalibration is about; their state is kept as evidence first. Any
    other may be the user's work of this minute: it stays, and is named next time.
    """
    events: list[Event] = []
    found = tree.edits(run)
    for item in found:
        ours = [path for path in _ours(run, item) if path not in standing]
        if ours:
            repo = Repo(item.tree)
            kept = repo.worktree_patch(ours, evidence.PATCH_LIMIT)
            evidence.write_bytes(folder / f"touched-{item.tree.name}.diff", kept, 2 * evidence.PATCH_LIMIT)
            repo.restore(ours)
        events += byproducts(item, before[item.repo])
    return [*events, *(event for settled in ports.asked("edit", "settled") for event in settled(run, found))]


def _ours(run: Run, item: Edits) -> list[str]:
    theirs = tree.foreign(run.log.of_kind("foreign"), item.repo)
    known = set(_known(run.log.of_kind("touched"), item.repo))
    if item.repo == str(run.layout.root):
        known.update(evaluator_lock.known(run.log))
    return [p for p in rewritten(item) if p not in theirs and (p in item.inside or p in known)]


def _known(events: Iterable[Event], repo: str) -> list[str]:
    return [str(path) for event in events if event.get("repo") == repo for path in event.get("paths", ())]
