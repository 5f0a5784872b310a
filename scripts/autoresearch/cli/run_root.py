"""Where the run of a folder lies, found without a child process."""

from __future__ import annotations

import os
from pathlib import Path

from ..kernel.core.errors import Refusal
from ..kernel.disk.layout import GIT_KEPT, POINTER, read_line


def git_marker(start: Path) -> Path | None:
    """The nearest `.git` at or above `start`, without a child process."""
    for folder in (start, *start.parents):
        marker = folder / ".git"
        if os.path.lexists(marker / "HEAD") or marker.is_file():  # git passes over a folder without HEAD too
            return marker
    return None


def refuse_lost(start: Path) -> None:
    """Raise `Refusal` where a check has deleted `.git` and the command beside it was killed before it came back."""
    for folder in (start, *start.parents):
        if os.path.lexists(folder / ".git" / "HEAD") or (folder / ".git").is_file():
            return
        kept = folder / "autoresearch-evidence" / GIT_KEPT
        for names in kept.glob("*/HEAD") if kept.is_dir() else ():
            aside = "mv .git .git.bak && " if os.path.lexists(folder / ".git") else ""
            raise Refusal(
                f"{folder / '.git'} is gone: a check deleted it, and the command that ran the check was killed; all of "
                f"its files are still there: cd {folder} && {aside}mv {names.parent.relative_to(folder)} .git, "
                "then repeat the command"
            )


def find_root(start: Path) -> Path:
    """The folder that holds a run's artifacts: the repository of `start`, the checkout behind a run's worktree,
    or `start` itself outside git."""
    start = Path(os.path.realpath(start))
    marker = git_marker(start)
    if marker is None:
        return start
    if marker.is_file():
        pointer = read_line(marker.parent / read_line(marker).replace("gitdir:", "", 1).strip() / POINTER)
        if pointer and Path(pointer).is_dir():
            return Path(pointer)
    return marker.parent
