"""Pipes and devices where git opens a file: it would wait for ever, so they are named instead.

What git opens at once is looked at before a command begins (`refuse_at_start`); the whole tree only while a git does
not end (`waits`, at the port `measure`), for that costs a walk.
"""

from __future__ import annotations

import os
import re
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from ..kernel.core.errors import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event
    from typing import Any

_PATIENCE = 0.3  # seconds after which a git that has not ended may wait at a pipe for ever; doubled each time
# Beside `.git`, in it, in the home.
_BESIDE = (".git", ".gitignore", ".gitattributes", ".gitmodules")
_WITHIN = ("HEAD", "index", "config", "commondir", "packed-refs", "shallow", "config.worktree")
_INFO = ("info/exclude", "info/attributes", "info/sparse-checkout", "objects/info/alternates")
_AT_HOME = (".gitconfig", ".config/git/config", ".config/git/ignore", ".config/git/attributes")
_NAMED = re.compile(
    r"^\s*(?:path|excludesfile|attributesfile)\s*=\s*\"?([^\"\n]+?)\"?\s*$", re.MULTILINE | re.IGNORECASE
)


def refuse_at_start(start: Path) -> None:
    """Raise `Refusal` naming the pipe, socket or device that stands where git would open a file at once."""
    _refuse(_at_once(Path(os.path.realpath(start))))


def waits(git: Any, cwd: Path) -> Callable[[], None]:
    """Look after a git at work in a folder: one that does not end, while a pipe or device is in its repository, is
    killed. What this returns is called when it has ended, and raises the `Refusal` that names the pipe."""
    import threading

    found, over = list[Refusal](), threading.Event()

    def end() -> None:
        """No git is at work any more."""
        over.set()
        if found and git.returncode:
            raise found[0]

    with suppress(RuntimeError):  # there is no room for a thread
        threading.Thread(target=_look, args=(git, cwd, over, found), daemon=True).start()
    return end


def _look(git: Any, cwd: Path, over: Event, found: list[Refusal]) -> None:
    pause = _PATIENCE
    while not over.wait(pause) and git.returncode is None:
        pause *= 2
        try:
            _refuse(_anywhere(Path(os.path.realpath(cwd))))
        except Refusal as refusal:
            found.append(refusal)
            with suppress(OSError):
                os.killpg(git.pid, signal.SIGKILL)  # with the git that it asks about a submodule
            return


def _anywhere(start: Path) -> Iterator[Path]:
    yield from _at_once(start)
    top = _top(start)
    if top is not None:
        from ..kernel.system import gitfiles

        common = gitfiles.common_dir(gitfiles.git_dir(top))
        yield from (path for path in _everywhere(common) if path.suffix != ".ipc")
        yield from (path for path in _everywhere(top) if path.name in _BESIDE)


def _refuse(paths: Iterator[Path]) -> None:
    for path in paths:
        if _is_endless(path):
            raise Refusal(
                f"{path} is a pipe, socket or device, expected a file: git would wait for it without end; bring the "
                "file back, or remove what is there, then repeat the command"
            )


def _top(start: Path) -> Path | None:
    return next((folder for folder in (start, *start.parents) if os.path.lexists(folder / ".git")), None)


def _at_once(start: Path) -> Iterator[Path]:
    home = Path(os.path.expanduser("~"))
    mine = [home / name for name in _AT_HOME]
    mine += [Path(place) for place in (os.environ.get("GIT_CONFIG_GLOBAL"),) if place]
    yield from mine
    settings = list(mine)
    top = _top(start)
    if top is not None:
        from ..kernel.system import gitfiles

        yield from (top / name for name in _BESIDE)
        with suppress(OSError):  # what is wrong with them, git says
            own = gitfiles.git_dir(top)
            yield from (own / name for name in _WITHIN)
            common = gitfiles.common_dir(own)
            yield from (common / name for name in (*_WITHIN, *_INFO))
            yield common / gitfiles.head_ref(own).replace("ref: ", "", 1)
            settings += [common / "config", own / "config.worktree"]
    yield from (path for file in settings for path in _named_in(file))


def _named_in(settings: Path) -> Iterator[Path]:
    """The files that git's settings name: further settings, what is ignored, attributes."""
    with suppress(OSError):
        text = settings.read_text("utf-8", "replace") if settings.is_file() else ""
        yield from (settings.parent / os.path.expanduser(name) for name in _NAMED.findall(text))


def _everywhere(folder: Path) -> Iterator[Path]:
    """All below a folder that is neither file, folder nor link, without asking for more than the folders tell."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _everywhere(Path(entry.path)) if entry.name != ".git" else ()
            elif not entry.is_file(follow_symlinks=False) and not entry.is_symlink():
                yield Path(entry.path)


def _is_endless(path: Path) -> bool:
    """Whether to read this has no end, or waits for somebody who writes; a link to /dev/null is an empty file."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or (stat.S_ISCHR(mode) and os.path.realpath(path) != os.devnull)
