"""Reading a file that should be one: a pipe, a device or a folder in its place is an error at once, never a wait."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read_bytes(path: Path) -> bytes:
    """The content of a regular file; raises `OSError` naming the path for anything else."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as file:
        check(handle, path)
        return file.read()


def read_text(path: Path, errors: str = "strict") -> str:
    """The same as text in UTF-8, without what editors of Windows put before it; raises `UnicodeDecodeError` too."""
    return read_bytes(path).decode("utf-8", errors).lstrip("\ufeff")


def check(handle: int, path: Path) -> None:
    """Raise `OSError` unless the descriptor is that of a regular file."""
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        raise OSError(errno.EINVAL, "not a regular file (a pipe, device or folder)", str(path))
