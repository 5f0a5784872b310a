"""Where the run of a folder lies, found without a child process."""

from __future__ import annotations

import os
from pathlib import Path

from ..kernel.disk.layout import POINTER, read_line


def git_marker(start: Path) -> Path | None:
    """The nearest `.git` at or above `start`, without a child process."""
    for folder in (start, *start.parents):
        marker = folder / ".git"
        if os.path.lexists(marker / "HEAD") or marker.is_file():  # git passes over a folder without HEAD too
            return marker
    return None


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
