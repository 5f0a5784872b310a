"""Parts of evidence files for reports: bounded, and never of anything but a regular file."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def head(path: Path, limit: int) -> tuple[str, int]:
    """The first `limit` bytes as text and how many bytes follow; ("", 0) where there is no such file."""
    return _part(path, limit, 0)


def tail(path: Path, limit: int) -> tuple[str, int]:
    """The last `limit` bytes as text and how many bytes stand before them; ("", 0) where there is no such file."""
    return _part(path, limit, 1)


def _part(path: Path, limit: int, end: int) -> tuple[str, int]:
    try:
        # What lies here is named by the tool but may have been replaced: a pipe would never end, a link leads away.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return "", 0
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return "", 0
        left_out = max(0, status.st_size - limit)
        data = os.pread(handle, limit, left_out if end else 0)
    except OSError:
        return "", 0
    finally:
        os.close(handle)
    return data.decode("utf-8", "replace"), left_out


def signature(*paths: Path) -> tuple[tuple[int, int, int], ...]:
    """What changes when one of the files does: inode, size, time of change (ns); zeros for a missing one."""
    found = []
    for path in paths:
        try:
            status = os.stat(path)
            found.append((status.st_ino, status.st_size, status.st_mtime_ns))
        except OSError:
            found.append((0, 0, 0))
    return tuple(found)
