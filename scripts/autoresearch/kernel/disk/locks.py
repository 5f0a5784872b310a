"""Advisory locks. A held lock is the only proof that something runs; it ends with its process, however that ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import Refusal
from . import regular
from .atomic import unwritable

_PROBES = (0.005, 0.02)  # seconds between tries, before a lock counts as held


def open_locked(path: Path, flags: int, wait: bool = True) -> int:
    """A descriptor of `path` that holds its exclusive lock, of the file that has the name now.

    Raises `BlockingIOError` when `wait` is false and somebody holds it, `OSError` when it cannot be opened.
    """
    while True:
        handle = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK, 0o644)
        try:
            regular.check(handle, path)
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            if _is_current(handle, path):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # archived while we waited: take the new file


def _is_current(handle: int, path: Path) -> bool:
    mine = os.fstat(handle)
    try:
        now = os.stat(path)
    except FileNotFoundError:
        return False
    return (mine.st_dev, mine.st_ino) == (now.st_dev, now.st_ino)


def _taken(path: Path, wait: bool) -> int:
    """The lock; who only asks whether it is held has it for an instant, and is not to be taken for a holder."""
    for pause in _PROBES if not wait else ():
        try:
            return open_locked(path, os.O_RDWR | os.O_CREAT, wait)
        except BlockingIOError:
            time.sleep(pause)
    return open_locked(path, os.O_RDWR | os.O_CREAT, wait)


@contextmanager
def held(path: Path, busy: str, wait: bool = False) -> Iterator[int]:
    """Hold the lock file `path` for the block; raises `Refusal(busy)` when another process holds it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = _taken(path, wait)
    except BlockingIOError:
        raise Refusal(busy) from None
    except OSError as error:
        raise unwritable(path, error) from None
    try:
        yield handle
    finally:
        os.close(handle)


@contextmanager
def held_if_there(path: Path) -> Iterator[None]:
    """Hold the lock of `path` itself for the block, if there is such a file: whoever waits sees what replaced it."""
    try:
        handle = open_locked(path, os.O_RDWR)
    except OSError:
        yield
        return
    try:
        yield
    finally:
        os.close(handle)


def is_held(path: Path) -> bool:
    """Whether some process holds the lock file right now."""
    try:
        handle = open_locked(path, os.O_RDWR, wait=False)
    except BlockingIOError:
        return True
    except OSError:
        return False
    os.close(handle)
    return False


def confirm(handle: int, path: Path) -> None:
    """Make sure that an inherited descriptor is the lock file and holds its lock; raises `OSError` when not."""
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if not _is_current(handle, path):
        raise OSError(f"another file than {path}")
