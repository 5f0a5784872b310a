"""What is refused before anything runs: a finished run, edits out of scope or in the evaluator, repeated patches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .. import ports
from ..core import decision, supervise
from ..core.choices import MIN_FREE_MB
from ..core.errors import Refusal
from ..core.frozen import Any
from ..core.statuses import those
from ..core.text import listing
from ..disk import atomic, evidence
from ..system.git import Repo
from . import budget, context, evaluator_lock, tree
from .context import Run
from .intent import Attempt
from .tree import Edits


def refuse_finished(run: Run) -> None:
    """Refuse a trial of a run that is over, out of budget, not measured, or out of disk."""
    if not run.config.measured:
        raise Refusal(
            "this run was set up with a reported baseline, expected a measured one; record with "
            "autoresearch_record_iteration.py, or start a measured run (init_run without --baseline-metric)"
        )
    verdict = supervise.judge(run.config, run.mode, run.state, budget.spent(run))
    if verdict.decision != supervise.RELAUNCH:
        raise Refusal(
            f"the run is over ({verdict.reason}: {verdict.detail}), so nothing was measured; "
            "take back the edit by hand and report; more that the user grants: autoresearch_init_run.py --extend"
        )
    free = atomic.free_mb(run.layout.root)
    if free < MIN_FREE_MB:
        raise Refusal(
            f"only {free} MB of disk are free, expected at least {MIN_FREE_MB}; free some and repeat the command"
        )


def refuse_batch(run: Run) -> None:
    """Refuse a trial while a batch is open: its workers start from the retained state as it is."""
    if evidence.batch_path(run.layout.evidence).exists():
        raise Refusal("a batch is open here, expected none; autoresearch_run_batch.py close measures it, abort drops")


def admitted(run: Run, found: Sequence[Edits]) -> Sequence[Edits]:
    """The edits, when every one of them may be committed; else `Refusal` naming the paths, touching nothing."""
    primary = str(run.layout.root)
    for item in found:
        refuse_moved_head(run, item)
    unmerged = [path for item in found for path in tree.named(item, item.unmerged, primary)]
    if unmerged:
        raise Refusal(f"unmerged paths {listing(unmerged)}, expected none; ask the user to resolve the conflict")
    for item in found:
        tree.refuse_odd(item, primary)
    nested = [path for item in found for path in tree.named(item, item.nested, primary)]
    if nested:
        raise Refusal(
            f"{listing(nested)} is a repository of its own with changes that no commit of this one holds; "
            "commit there (a submodule; git submodule update brings back one that is gone) or take it out of the "
            "scope, then run the trial again"
        )
    # Without an edit nothing is measured: what somebody committed to the evaluator is refused with the next edit.
    protected = evaluator_lock.violated(run) if any(item.inside or item.outside for item in found) else ()
    if protected:
        _note(run, "evaluator", protected)
        raise Refusal(
            f"the evaluator was changed: {listing(protected)}; it is locked: numbers stay comparable. Undo that (where "
            "this skill was updated, that too); a wanted one: ask the user, then record_iteration --status drift"
        )
    outside = [path for item in found for path in tree.named(item, item.outside, primary)]
    if outside:
        _note(run, "scope", outside)
        raise Refusal(
            f"changes outside the scope ({run.config.scope or '.'}): {listing(outside)}; nothing was committed. "
            "Take back your own lines, by hand where the user had unsaved work; they stash theirs; then run it again"
        )
    refused = next(filter(None, (admission(run, found) for admission in ports.asked("edit", "admission"))), "")
    if refused:
        raise Refusal(refused)
    return found


def refuse_moved_head(run: Run, item: Edits) -> None:
    """Raise `Refusal` where somebody has committed, or moved the branch, since the last row."""
    expected = next((e["heads"][item.repo] for e in run.log.backwards("heads") if item.repo in _heads(e)), "")
    head = Repo(item.tree).head()
    if expected and head != expected:
        raise Refusal(
            f"HEAD is at {head[:9]}, expected {expected[:9]}: somebody committed in mid-run. If it was your trial, "
            f"git reset --soft {expected[:9]} and run the trial again; if it was the user's work, "
            "record_iteration --status drift measures it as the new retained state"
        )


def _heads(event: Mapping[str, Any]) -> Mapping[str, str]:
    heads = event.get("heads")
    return heads if isinstance(heads, dict) else {}


def _note(run: Run, what: str, paths: Sequence[str]) -> None:
    evidence.note_refusal(
        run.layout.evidence,
        {"what": what, "paths": list(paths)[:20], "at": context.now(), "before_iteration": run.state.iteration + 1},
    )


def key_of(run: Run, patch: bytes) -> str:
    """What makes two attempts the same: the same patch on the same retained content."""
    import hashlib

    retained = those("retains")
    base = next((row.iteration for row in reversed(run.log.rows) if row.is_main and row.status in retained), 0)
    return hashlib.sha256(b"%d:" % base + patch).hexdigest()[:20]


def tried_before(run: Run, key: str) -> str:
    """The refusal for a patch that was tried on the same base, "" for one that may be tried."""
    for event in run.log.of_kind("trial", holding=key):
        if event.get("key") == key and event.get("outcome") != decision.UNDECIDED:
            row = next(r for r in run.log.rows if r.iteration == event["iteration"] and r.is_main)
            if row.status != "crash":
                return (
                    f"this exact change was tried as iteration {row.iteration} ({row.status}, metric {row.metric}); "
                    "nothing was run. Change it or undo it, then run the trial again"
                )
    return ""


def refusal_of(run: Run, patch: bytes, attempt: Attempt) -> str:
    """Why this edit is not measured, "" for one that may be: it was tried on the same base, or a feature refuses it
    or warns of it (the port `edit`) and the agent does not insist."""
    asked = [*ports.asked("edit", "refusal"), *([] if attempt.knowing else ports.asked("edit", "warning"))]
    return tried_before(run, key_of(run, patch)) or next(filter(None, (ask(run, patch) for ask in asked)), "")


def refuse_edited(run: Run) -> None:
    """Refuse a tree with edits, for what makes its own. Raises `Refusal`."""
    edited = [path for item in admitted(run, tree.edits(run)) for path in item.inside]
    if edited:
        raise Refusal(f"uncommitted changes in {listing(edited)}, expected none; run_trial measures them, or undo them")
