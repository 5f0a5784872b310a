"""Edits in the run's own tree that nobody has tried: taken back, with their patch kept."""

from __future__ import annotations

import time
from pathlib import Path

from ..kernel.core.errors import Refusal
from ..kernel.core.text import listing
from ..kernel.disk import evidence
from ..kernel.run import context, intent, tree
from ..kernel.run.context import Run
from ..kernel.run.intent import Intent
from ..kernel.system.git import GitError, Repo


def take_back(run: Run, again: bool = True) -> str:
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
                return take_back(context.load(run.layout), again=False)
            raise Refusal(f"untried edits in {item.tree} could not be taken back: {error}") from None
    intent.undo(run.layout)
    names = [path for item in found for path in tree.named(item, item.inside, str(run.layout.root))]
    where = Path(run.layout.evidence.name) / f"{number:04d}" / evidence.UNDONE
    return f"took back edits that were never tried ({listing(names)}); their patch is in {where}"
