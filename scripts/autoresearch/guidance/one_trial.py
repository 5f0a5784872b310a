"""Two trials in one shell command: the second edit would be made before the first answer was read."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from ..kernel.run.context import Run
from ..kernel.run.tree import Edits
from ..kernel.system import platform

# Of an edit of its own: `… --description "a" || … --waiting` is one trial, and its queue.
_TRIAL = re.compile(r"autoresearch_run_trial\.py[^;&|\n]*?\s--desc")


def admission(run: Run, found: Sequence[Edits]) -> str:
    """Why no trial is made now: the shell that calls us was given several at once; "" where it was not."""
    del run, found
    return said(platform.command_line(os.getppid()))


def said(line: str) -> str:
    """The refusal for the command line of a shell, "" for one that holds one trial at most."""
    shell = re.match(r"\S*?\b(?:ba|da|z|k)?sh\s+-\w*c\b", line)
    if not shell or len(_TRIAL.findall(line)) < 2:
        return ""
    return (
        "one command holds several trials, expected one: the answer of the first decides on the next edit. Keep one "
        "edit in the tree, run its trial alone, read the answer, then think of the next"
    )
