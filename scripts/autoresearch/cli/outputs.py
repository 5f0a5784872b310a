"""Files that a flag names: nothing that is somebody's is written over, and no folder is made for them."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from ..kernel.core import artifacts
from ..kernel.core.errors import Refusal
from ..kernel.disk import evidence
from ..kernel.disk.layout import Layout
from ..kernel.system.git import GitError, Repo

REPORT = ("report.html", "report.md")
OURS = (*REPORT, evidence.PULL_REQUEST)  # what may be written anew in the evidence
ARTIFACTS = ("results", "state", "launch", "runtime", "lessons", "ideas", "runtime_log")
LOOKS = r'^iteration\t|"(?:run_tag|config|state|status)"\s*:'  # by which a log or a record of ours is known
_SEEN = 1 << 20  # bytes in which a report says that it is one


def refuse(path: Path, flag: str, layout: Layout, again: str = "", own: str = "") -> None:
    """Raise `Refusal` unless this place may be written to.

    The run's artifacts are refused, but for the one that the flag names (`own`, a name in `layout`); and a file that
    is there already, unless the pattern `again` is found in it or it is empty.
    """
    problem = _problem(path, layout, own) or (_taken(path, again) if again else "")
    if problem:
        raise Refusal(f"{flag} {path} {problem}; nothing was written, name another path")


def refuse_folder(path: Path, flag: str, parents: bool = False) -> None:
    """Raise `Refusal` unless a new folder may be made here; with `parents` those above it are made too."""
    real = Path(os.path.realpath(path))
    problem = _in_git(real) or ("" if parents else _missing(real))
    if problem:
        raise Refusal(f"{flag} {path} {problem}; nothing was written, name another path")


def _in_git(real: Path) -> str:
    bare = (real.parent / "HEAD").is_file() and (real.parent / "objects").is_dir()
    return "lies in a git folder, expected a place of your own" if ".git" in real.parts or bare else ""


def _missing(real: Path) -> str:
    return "" if real.parent.is_dir() else "lies in a folder that is not there, expected one that is; make it first"


def _problem(path: Path, layout: Layout, own: str) -> str:
    real = Path(os.path.realpath(path))
    misplaced = _in_git(real) or _missing(real)
    if misplaced:
        return misplaced
    kind = _kind(real)
    if kind:
        return f"is {kind}, expected a file"
    if _is_artifact(real, layout, own):
        return "is an artifact of the run, expected another file"
    return "is tracked by git, expected a file that is not" if is_tracked(real) else ""


def _kind(path: Path) -> str:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return ""
    if stat.S_ISREG(mode):
        return ""
    return "a folder" if stat.S_ISDIR(mode) else "a link to itself" if stat.S_ISLNK(mode) else "a device or pipe"


def _is_artifact(real: Path, layout: Layout, own: str) -> bool:
    for name in ARTIFACTS:
        if real == Path(os.path.realpath(getattr(layout, name))):
            return name != own
    folder = Path(os.path.realpath(layout.evidence))
    if real.is_relative_to(folder):
        return not (real.parent == folder and real.name in OURS)
    return not own and artifacts.is_owned(layout.relative(real))


def is_tracked(real: Path) -> bool:
    """Whether git tracks the file, in whatever repository it lies."""
    repo = Repo(real.parent)
    try:
        return repo.is_git() and bool(repo.blob_ids([str(real)]))
    except GitError:
        return False  # a folder named .git far above that is no repository


def _taken(path: Path, again: str) -> str:
    try:
        with open(path, "rb") as file:
            head = file.read(_SEEN).decode("utf-8", "replace")
    except OSError:
        return ""
    ours = not head or artifacts.is_owned(path.name) or re.search(again, head, re.MULTILINE)
    return "" if ours else "is there already and none of the tool's, expected a new file"
