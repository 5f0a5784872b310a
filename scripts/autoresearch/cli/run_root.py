"""Where the run of a folder lies, found without a child process."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ..kernel.core.errors import Refusal
from ..kernel.disk.layout import POINTER, read_line

# What git opens of its own accord, and waits for without end where it is a pipe: beside `.git`, in it, in the home.
_BESIDE = (".git", ".gitignore", ".gitattributes", ".gitmodules")
_WITHIN = ("HEAD", "index", "config", "commondir", "packed-refs", "shallow", "config.worktree")
_INFO = ("info/exclude", "info/attributes", "info/sparse-checkout", "objects/info/alternates")
_AT_HOME = (".gitconfig", ".config/git/config", ".config/git/ignore", ".config/git/attributes")


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


def refuse_endless(start: Path) -> None:
    """Raise `Refusal` naming the pipe, socket or device that stands where git would open a file."""
    for path in _opened(Path(os.path.realpath(start))):
        if _is_endless(path):
            raise Refusal(
                f"{path} is a pipe, socket or device, expected a file: git would wait for it without end; bring the "
                "file back, or remove what is there, then repeat the command"
            )


def _opened(start: Path) -> Iterator[Path]:
    yield from (Path(os.path.expanduser("~")) / name for name in _AT_HOME)
    top = next((folder for folder in (start, *start.parents) if os.path.lexists(folder / ".git")), None)
    if top is None:
        return
    from ..kernel.system import gitfiles

    yield from (top / name for name in _BESIDE)
    with suppress(OSError):  # what is wrong with them, git says
        own = gitfiles.git_dir(top)
        yield from (own / name for name in _WITHIN)
        common = gitfiles.common_dir(own)
        yield from (common / name for name in (*_WITHIN, *_INFO))
        yield common / gitfiles.head_ref(own).replace("ref: ", "", 1)


def _is_endless(path: Path) -> bool:
    """Whether to read this has no end, or waits for somebody who writes; a link to /dev/null is an empty file."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or (stat.S_ISCHR(mode) and os.path.realpath(path) != os.devnull)
