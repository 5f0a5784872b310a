"""Which files are opened while a check runs, told by inotify(7) where there is one (Linux); else nothing is known.

Folders are watched, so that thousands of files cost few watches. A compiled file beside a Python source (`__pycache__`)
stands for the source, which Python does not open then.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_OPEN, _NONBLOCK, _CLOEXEC = 0x20, 0o4000, 0o2000000
_MOST = 3000  # folders that are watched
_EVENT = struct.Struct("iIII")  # watch, mask, cookie, length of the name that follows
_OVERFLOW = 0x4000


class OpensWatch:
    """The opens seen since it began; `known` is False where nothing can be told."""

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        self._names, self._seen, self._folders = frozenset(names), set[str](), dict[int, str]()
        self._handle = -1
        self.known = sys.platform == "linux" and self._begin(root)

    def _begin(self, root: Path) -> bool:
        import ctypes

        try:
            libc = ctypes.CDLL(None, use_errno=True)
            self._handle = libc.inotify_init1(_NONBLOCK | _CLOEXEC)
        except (OSError, AttributeError):
            return False
        folders = sorted({os.path.dirname(name) for name in self._names})
        caches = [os.path.join(folder, "__pycache__") for folder in folders]
        caches = [folder for folder in caches if os.path.isdir(root / folder)]
        if self._handle < 0 or len(folders) + len(caches) > _MOST:
            return False
        for folder in (*folders, *caches):
            watch = libc.inotify_add_watch(self._handle, os.fsencode(root / folder), _OPEN)
            if watch < 0:
                return False
            self._folders[watch] = folder
        return True

    @property
    def seen(self) -> frozenset[str]:
        """The watched files that were opened, as far as was read."""
        return frozenset(self._seen)

    def add(self, names: Iterable[str]) -> None:
        """Files that an earlier run is known to have opened."""
        self._seen.update(self._names.intersection(names))

    def forget(self) -> None:
        """Begin anew."""
        self._seen.clear()

    def skip(self) -> None:
        """Forget what has come since the last look."""
        before = set(self._seen)
        self.names()
        self._seen = before

    def names(self) -> frozenset[str]:
        """The watched files that were opened so far; reads what has come."""
        while self.known:
            try:
                data = os.read(self._handle, 1 << 16)
            except OSError:  # nothing more has come
                break
            self._take(data)
        return self.seen

    def _take(self, data: bytes) -> None:
        place = 0
        while place < len(data):
            watch, mask, _, length = _EVENT.unpack_from(data, place)
            place += _EVENT.size
            name = os.fsdecode(data[place : place + length].rstrip(b"\0"))
            place += length
            if mask & _OVERFLOW:
                self.known = False
            elif name:
                self._note(self._folders.get(watch, ""), name)

    def _note(self, folder: str, name: str) -> None:
        path = os.path.join(folder, name)
        if os.path.basename(folder) == "__pycache__" and name.endswith(".pyc"):
            path = os.path.join(os.path.dirname(folder), name.partition(".")[0] + ".py")
        if path in self._names:
            self._seen.add(path)

    def close(self) -> None:
        """End the watch."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle, self.known = -1, False


@contextmanager
def watch(root: Path, names: Sequence[str]) -> Iterator[OpensWatch]:
    """Watch these files below `root` for the time of the block."""
    found = OpensWatch(root, names)
    try:
        yield found
    finally:
        found.close()
