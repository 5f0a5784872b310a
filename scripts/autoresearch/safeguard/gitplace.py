"""Where the git folder of a checkout lies, held open while a check runs: one that was moved away is moved back."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from ..kernel.system import gitfiles
from ..kernel.system.gitread import Reader
from . import keepsake

REPLACED = "autoresearch-replaced"  # what a check put in its place, kept in the folder that came back


@dataclass(frozen=True)
class GitPlace:
    """A folder of git's, and a handle by which it is found; `dot` is `.git` of the checkout where that is a file."""

    folder: Path
    handle: int
    dot: Path
    text: bytes | None


def hold(tree: Path) -> Iterator[GitPlace]:
    """The git folders of a checkout: its own, and the one shared with others. None outside git."""
    repo = Reader(tree)
    if not repo.is_git():
        return
    dot = tree / ".git"
    text = dot.read_bytes() if dot.is_file() else None
    own = repo.git_dir()
    for folder in dict.fromkeys(Path(os.path.realpath(one)) for one in (gitfiles.common_dir(own), own)):
        with suppress(OSError):
            yield GitPlace(folder, os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), dot, text)


def put_back(place: GitPlace) -> bool:
    """Move the folder back where it was moved away, and write `.git` where that is a file that is gone; whether so.

    What lies in its place goes into it, under a name of its own. Raises `Refusal` for a folder that was deleted.
    """
    mended = _moved_back(place)
    if place.text is None or keepsake.is_same(place.dot, place.text):
        return mended
    return keepsake.write(place.dot, place.text)


def release(place: GitPlace) -> None:
    """Close the handle."""
    os.close(place.handle)


def _moved_back(place: GitPlace) -> bool:
    held = os.fstat(place.handle)
    with suppress(OSError):
        here = os.lstat(place.folder)
        if (here.st_dev, here.st_ino) == (held.st_dev, held.st_ino):
            return False
    now = _path_of(place.handle)
    if not held.st_nlink or not now.is_dir() or now == place.folder:
        raise Refusal(
            f"the check deleted or moved {place.folder}, and with it every commit; expected it to leave git's folder "
            "alone. Bring it back (from a clone or a backup), correct the check, then repeat the command"
        )
    other = place.folder.with_name(f"{place.folder.name}.{os.getpid()}.bak")
    if os.path.lexists(place.folder):
        os.rename(place.folder, other)
    os.rename(now, place.folder)
    if os.path.lexists(other):
        _discard(other, place.folder / REPLACED)
    return True


def _discard(other: Path, target: Path) -> None:
    if stat.S_ISDIR(os.lstat(other).st_mode) and not os.listdir(other):
        os.rmdir(other)
    elif not os.path.lexists(target):
        os.rename(other, target)


def _path_of(handle: int) -> Path:
    """Where an open folder lies now."""
    if sys.platform == "darwin":
        import fcntl

        return Path(os.fsdecode(fcntl.fcntl(handle, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0")))
    return Path(os.readlink(f"/proc/self/fd/{handle}"))
