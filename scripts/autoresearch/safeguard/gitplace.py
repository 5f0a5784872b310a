"""Where the git folder of a checkout lies, held open while a check runs: one that was moved away is moved back, and
what was deleted of it comes back by its second names."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from ..kernel.system import gitfiles
from ..kernel.system.gitread import Reader
from . import gitcopy, keepsake

REPLACED = "autoresearch-replaced"  # what a check put in its place, kept in the folder that came back


@dataclass(frozen=True)
class GitPlace:
    """A folder of git's, and a handle by which it is found; `dot` is `.git` of the checkout, `text` what is in it where
    that is a file, `common` the folder in which this one lies."""

    folder: Path
    handle: int
    dot: Path
    text: bytes | None
    common: Path


def hold(tree: Path) -> Iterator[GitPlace]:
    """The git folders of a checkout: its own, and the one shared with others. None outside git."""
    repo = Reader(tree)
    if not repo.is_git():
        return
    dot = tree / ".git"
    text = dot.read_bytes() if dot.is_file() else None
    own = repo.git_dir()
    common = Path(os.path.realpath(gitfiles.common_dir(own)))
    for folder in dict.fromkeys((common, Path(os.path.realpath(own)))):
        with suppress(OSError):
            yield GitPlace(folder, os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), dot, text, common)


def put_back(place: GitPlace, second: Mapping[Path, Path]) -> bool:
    """Move the folder back where it was moved away, bring back what was deleted of it (`second` names by common
    folder), and write `.git` where that is a file that is gone; whether so.

    What lies in its place goes into it, under a name of its own. Raises `Refusal` for a folder that was deleted and
    has no second names.
    """
    names = second.get(place.common)
    if names is not None and place.folder != place.common:
        names = names / os.path.relpath(place.folder, place.common)
    mended = _moved_back(place, names)
    if not mended and names is not None and gitcopy.is_broken(place.folder, names, place.dot.parent):
        gitcopy.bring_back(place.folder, names)
        mended = True
    if place.text is None or keepsake.is_same(place.dot, place.text):
        return mended
    return keepsake.write(place.dot, place.text)


def release(place: GitPlace) -> None:
    """Close the handle."""
    os.close(place.handle)


def _moved_back(place: GitPlace, names: Path | None) -> bool:
    held = os.fstat(place.handle)
    with suppress(OSError):
        here = os.lstat(place.folder)
        if (here.st_dev, here.st_ino) == (held.st_dev, held.st_ino):
            return False
    now = _path_of(place.handle)
    is_deleted = not held.st_nlink or not now.is_dir() or now == place.folder
    if is_deleted and (names is None or not names.is_dir()):
        raise Refusal(
            f"the check deleted or moved {place.folder}, and with it every commit; expected it to leave git's folder "
            "alone. Bring it back (from a clone or a backup), correct the check, then repeat the command"
        )
    other = place.folder.with_name(f"{place.folder.name}.{os.getpid()}.bak")
    if os.path.lexists(place.folder):
        os.rename(place.folder, other)
    if is_deleted and names is not None:
        gitcopy.bring_back(place.folder, names)
    else:
        os.rename(now, place.folder)
    if os.path.lexists(other):
        _discard(other, place.folder / REPLACED)
    return True


def _discard(other: Path, target: Path) -> None:
    mode = os.lstat(other).st_mode
    if stat.S_ISDIR(mode) and not os.listdir(other):
        os.rmdir(other)
    elif stat.S_IFMT(mode) not in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        other.unlink()  # a pipe or a device holds nothing
    elif not os.path.lexists(target):
        os.rename(other, target)


def _path_of(handle: int) -> Path:
    """Where an open folder lies now."""
    if sys.platform == "darwin":
        import fcntl

        return Path(os.fsdecode(fcntl.fcntl(handle, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0")))
    return Path(os.readlink(f"/proc/self/fd/{handle}"))
