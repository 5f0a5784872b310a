"""What a session leaves when it ends in the middle: an unfinished trial, an edit that was never tried."""

from __future__ import annotations

import time
from pathlib import Path

from ..kernel.core.errors import Refusal
from ..kernel.core.text import listing
from ..kernel.disk import locks
from ..kernel.disk.layout import Layout
from ..kernel.run import context, intent, tree
from ..kernel.run.context import Run
from ..kernel.run.intent import Intent
from ..kernel.system.git import GitError, Repo
from ..parallel import settling
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
    with locks.held(layout.evidence / "trial.lock", BUSY, wait=False):
        if keep_waiting and waiting.read(layout) is not None:
            return intent.finish(layout)
        waiting.drop(layout)
        done = intent.undo(layout)
        if not layout.results.exists() or not Repo(layout.root).is_git():
            return done
        edits = _untried(context.load(layout))
        return "; ".join(part for part in (done, edits) if part)


def _untried(run: Run, again: bool = True) -> str:
    """Take edits back the way a trial is: noted, committed, undone. A kill in between is mended by the next command.

    A user who commits in that moment makes git decline: it is tried once more on what is HEAD then.
    """
    found = [item for item in tree.edits(run) if item.inside and not item.unmerged]
    if not found:
        return ""
    places = {item.repo: intent.place_of(item.tree) for item in found}
    number = run.state.iteration + 1
    note = Intent(number, run.tag, f"leftover-{time.time_ns()}", places, started=time.time())
    note.write(run.layout.evidence)
    message = "experiment: never tried\n\n" + intent.trailers(note)
    for item in found:
        try:
            Repo(item.tree).commit_paths(item.inside, message)
        except ValueError:
            continue  # only its times differ
        except GitError as error:
            intent.finish(run.layout)
            if again:
                return _untried(context.load(run.layout), again=False)
            raise Refusal(f"untried edits in {item.tree} could not be taken back: {error}") from None
    intent.undo(run.layout)
    names = [path for item in found for path in tree.named(item, item.inside, str(run.layout.root))]
    where = Path(run.layout.evidence.name) / f"{number:04d}" / "undone.diff"
    return f"took back edits that were never tried ({listing(names)}); their patch is in {where}"
