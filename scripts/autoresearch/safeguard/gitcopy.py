"""Second names for the files of a git folder, in the evidence folder while a check runs.

What the check deletes of the folder gets its first name back. A name takes no room, and git changes no file in place:
it writes a new one. Loose objects keep their second names between the checks, for there may be many of them.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ..kernel.disk import atomic, locks
from ..kernel.disk.layout import GIT_KEPT
from ..kernel.system import gitcall

_LOOSE = re.compile(r"[0-9a-f]{2}")
_PASSED = re.compile(r"autoresearch-\d+(?:n\d+)?\.|.*\.(?:lock|tmp|ipc)$")  # of a command at work
_MANY = 4000  # files from which on a folder in it (of references, of Git LFS) is left out, for all are named each time
# What git never takes away, but for a pack that another one replaces.
_VITAL = ("HEAD", "config", "packed-refs", "refs/heads", "objects/pack", "logs", "logs/HEAD", "hooks", "info", "lfs")
_FRESH = 10**9  # ns in which a folder may change once more without a new time


class GitCopies:
    """The second names of several git folders; `of` has them by folder. Nothing where they cannot be made."""

    def __init__(self, folders: Sequence[Path], evidence: Path) -> None:
        """Make them, unless another command beside this one has them."""
        self.place, self.is_new = evidence / GIT_KEPT, not evidence.is_dir()
        self.of: dict[Path, Path] = {}
        self._handle = -1
        if not folders:
            return
        with suppress(OSError):
            self.place.mkdir(parents=True, exist_ok=True)
            self._handle = locks.open_locked(self.place / "lock", os.O_RDWR | os.O_CREAT, wait=False)
            wanted = {f"{folder.stat().st_ino:x}": folder for folder in folders}
            for left in set(os.listdir(self.place)) - {*wanted, "lock"}:
                if not (self.place / left / "HEAD").exists():  # else it may be all that is left of a folder
                    _remove(self.place / left)
            for name, folder in wanted.items():
                self._make(folder, self.place / name)

    def _make(self, folder: Path, names: Path) -> None:
        try:
            _follow(folder, names, _crowded(folder))
        except OSError:  # a file system without second names, one that is full, files of somebody else
            _remove(names)
        else:
            self.of[folder] = names

    def close(self) -> None:
        """Take the names away, but for those of loose objects."""
        if self._handle < 0:
            return
        for names in self.of.values():
            _thin(names)
        if self.is_new:
            _remove(self.place)
            with suppress(OSError):
                self.place.parent.rmdir()
        os.close(self._handle)


def is_broken(folder: Path, names: Path, tree: Path) -> bool:
    """Whether something is missing that git never deletes. Pipes, sockets and devices, which hold nothing, go."""
    odd = [path for path in _odd(folder) if not _PASSED.match(path.name)]
    for path in odd:
        path.unlink()
    if odd or any(_is_gone(folder / name, names / name) for name in _VITAL):
        return True
    # Perhaps the user's own git has only cleaned up.
    return _has_lost(folder, names) and gitcall.attempt(tree, ["fsck", "--connectivity-only", "--no-progress"])[0] != 0


def bring_back(folder: Path, names: Path) -> None:
    """Give the files of a git folder that are missing their names back.

    HEAD comes last: without it a folder is no repository, which tells that a kill came in between.
    """
    for name in sorted(_below(names), key=lambda name: name == "HEAD"):
        if not (folder / name).is_file() and not (folder / name).is_symlink():
            _name(names / name, folder / name)
    for name in ("objects/pack", "objects/info", "refs/heads", "refs/tags"):
        (folder / name).mkdir(parents=True, exist_ok=True)


def _is_gone(path: Path, known: Path) -> bool:
    return os.path.lexists(known) and not (path.is_dir() if known.is_dir() else path.is_file())


def _has_lost(folder: Path, names: Path) -> bool:
    """Whether objects are gone that no new pack has taken over."""
    packs, before = _listed(folder / "objects/pack"), _listed(names / "objects/pack")
    if packs - before:
        return False
    loose = (name for name in _listed(names / "objects") if _LOOSE.fullmatch(name))
    return bool(before - packs) or any(_listed(names / "objects" / n) - _listed(folder / "objects" / n) for n in loose)


def _listed(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))
    except OSError:
        return set()


def _below(folder: Path) -> Iterator[str]:
    for place, _, files in os.walk(folder):
        yield from (os.path.relpath(os.path.join(place, name), folder) for name in files)


def _odd(folder: Path) -> Iterator[Path]:
    """Pipes, sockets and devices, but among the loose objects, of which git names none so."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from () if _is_loose(Path(entry.path)) else _odd(Path(entry.path))
            elif not entry.is_file(follow_symlinks=False) and not entry.is_symlink():
                yield Path(entry.path)


def _is_loose(folder: Path) -> bool:
    return folder.parent.name == "objects" and bool(_LOOSE.fullmatch(folder.name))


def _name(source: Path, target: Path) -> None:
    """A second name for a file; what is in its place moves aside."""
    for folder in reversed(target.parents):
        if folder.is_symlink() or (os.path.lexists(folder) and not folder.is_dir()):
            atomic.set_aside(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(target):
        atomic.set_aside(target)
    os.link(source, target, follow_symlinks=False)


def _follow(source: Path, target: Path, without: Sequence[str] = ()) -> None:
    """Give `target` second names of all that `source` holds but for some folders, and of nothing else."""
    target.mkdir(exist_ok=True)
    changed = source.stat().st_mtime_ns
    if _is_loose(source) and changed == target.stat().st_mtime_ns:
        return
    with os.scandir(source) as entries:
        wanted = [entry for entry in entries if entry.name not in without and not _PASSED.match(entry.name)]
    here = {entry.name: entry for entry in wanted}
    for name in os.listdir(target):
        if name not in here or not _is_same(here[name], target / name):
            _remove(target / name)
    for name, entry in here.items():
        if entry.is_dir(follow_symlinks=False):
            _follow(Path(entry.path), target / name)
        elif entry.is_file(follow_symlinks=False) and not os.path.lexists(target / name):
            os.link(entry.path, target / name, follow_symlinks=False)
    if _is_loose(source):
        settled = changed if time.time_ns() - changed > _FRESH else 0
        os.utime(target, ns=(settled, settled))


def _crowded(folder: Path) -> list[str]:
    """The folders in it that hold too many files; loose objects are no matter, which keep their names."""
    found = []
    for name in _listed(folder) - {"objects"}:
        files = (file for _, _, names in os.walk(folder / name) for file in names)
        found += [name] if any(number >= _MANY for number, _ in enumerate(files)) else []
    return found


def _is_same(entry: os.DirEntry[str], known: Path) -> bool:
    found = os.lstat(known)
    return stat.S_ISDIR(found.st_mode) if entry.is_dir(follow_symlinks=False) else entry.inode() == found.st_ino


def _thin(names: Path) -> None:
    for name in _listed(names) - {"objects"}:
        _remove(names / name)
    for name in _listed(names / "objects"):
        if not _LOOSE.fullmatch(name):
            _remove(names / "objects" / name)


def _remove(path: Path) -> None:
    import shutil

    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()
