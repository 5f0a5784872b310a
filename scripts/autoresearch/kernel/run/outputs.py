"""Files that a flag names: nothing that is somebody's is written over, and no folder is made for them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ..core.errors import Refusal
from ..disk.layout import Layout
from ..system.git import GitError, Repo

OURS = ("report.html", "report.md", "pull-request.md")  # what may be written anew in the evidence
_SEEN = 1 << 20  # bytes in which a report says that it is one


def refuse(path: Path, flag: str, layout: Layout | None = None, again: str = "") -> None:
    """Raise `Refusal` unless this place may be written to.

    With a `layout` the run's own artifacts are refused; a file that is there already is, unless `again` is in it.
    """
    problem = _problem(path, layout) or (_taken(path, again) if again else "")
    if problem:
        raise Refusal(f"{flag} {path} {problem}; nothing was written, name another path")


def _problem(path: Path, layout: Layout | None) -> str:
    real = Path(os.path.realpath(path))
    if ".git" in real.parts:
        return "lies in a git folder, expected a place of your own"
    if not real.parent.is_dir():
        return "lies in a folder that is not there, expected one that is; make it first"
    kind = _kind(real)
    if kind:
        return f"is {kind}, expected a file"
    if layout is not None and _is_artifact(real, layout):
        return "is an artifact of the run, expected another file"
    return "is tracked by git, expected a file that is not" if _tracked(real) else ""


def _kind(path: Path) -> str:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return ""
    if stat.S_ISREG(mode):
        return ""
    return "a folder" if stat.S_ISDIR(mode) else "a link to itself" if stat.S_ISLNK(mode) else "a device or pipe"


def _is_artifact(real: Path, layout: Layout) -> bool:
    names = (layout.results, layout.state, layout.launch, layout.runtime, layout.lessons, layout.ideas)
    if real in {Path(os.path.realpath(path)) for path in (*names, layout.runtime_log)}:
        return True
    folder = Path(os.path.realpath(layout.evidence))
    return real.is_relative_to(folder) and not (real.parent == folder and real.name in OURS)


def _tracked(real: Path) -> bool:
    repo = Repo(real.parent)
    try:
        return real.exists() and repo.is_git() and bool(repo.blob_ids([str(real)]))
    except GitError:
        return False  # a folder named .git far above that is no repository


def _taken(path: Path, again: str) -> str:
    try:
        with open(path, "rb") as file:
            return "" if again.encode() in file.read(_SEEN) else "is there already and no report, expected a new file"
    except OSError:
        return ""
