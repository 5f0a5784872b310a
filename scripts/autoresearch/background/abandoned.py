"""What a session leaves when it ends in the middle: an unfinished trial, an edit that was never tried."""

from __future__ import annotations

from ..kernel.disk import evidence, locks
from ..kernel.disk.layout import Layout
from ..kernel.run import context, intent
from ..kernel.system.git import Repo
from ..parallel import settling, untried
from ..waiting import waiting

BUSY = "a trial is running here that is not the session's, expected none; wait for it to end"


def clear(layout: Layout, keep_waiting: bool = False) -> str:
    """Undo an unfinished trial, take untried edits in the scope back, drop workers' folders; says what was done.

    With `keep_waiting` a trial that was left waiting still waits afterwards, also one that was begun.

    The patch of each stays in the evidence. Raises `Refusal` when somebody else's trial runs here, or when what is
    to be undone was edited meanwhile.
    """
    done = _cleared(layout, keep_waiting)
    return "; ".join(part for part in (done, settling.give_up(layout)) if part)


def _cleared(layout: Layout, keep_waiting: bool) -> str:
    with locks.held(evidence.lock_path(layout.evidence), BUSY, wait=False):
        if keep_waiting and waiting.read(layout) is not None:
            return intent.finish(layout)
        waiting.drop(layout)
        done = intent.undo(layout)
        if not layout.results.exists() or not Repo(layout.root).is_git():
            return done
        edits = untried.take_back(context.load(layout))
        return "; ".join(part for part in (done, edits) if part)
