"""Whole-file writes that are there completely or not at all, also after a kill or a power cut."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from ..core.errors import Refusal


def replace(path: Path, text: str) -> None:
    """Write `text` to `path` in one step: temporary file beside it, fsync, rename, fsync of the folder.

    The temporary name is fixed, so what a kill leaves is taken over by the next write. Callers hold a lock.
    Raises `Refusal` when the disk is full or the place is read-only.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with open(os.open(temporary, flags, 0o644), "wb") as file:
            file.write(text.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        _forget(temporary)
        raise unwritable(path, error) from None


def _forget(temporary: Path) -> None:
    try:
        temporary.unlink()
    except OSError:
        pass  # it never came to be, or the place is read-only


def unwritable(path: Path, error: OSError) -> Refusal:
    """The refusal for a failed write, with the remedy for its cause."""
    remedy = {
        errno.EFBIG: "raise the file size limit (ulimit -f) and repeat the command",
        errno.ENOSPC: "free disk space and repeat the command",
        errno.EROFS: "a sandbox has made it read-only; run the command outside the sandbox",
        errno.EACCES: "make it writable and repeat the command",
        errno.EPERM: "make it writable and repeat the command",
    }.get(error.errno or 0, "check the path and repeat the command")
    return Refusal(f"cannot write {path}: {error.strerror}, expected a writable file; {remedy}")


def sync_folder(folder: Path) -> None:
    """Make renames and creations in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        pass  # some file systems cannot sync a folder; the rename itself stays atomic
    finally:
        os.close(handle)


def set_aside(path: Path) -> str:
    """Move a corrupt file to `….bak` (numbered when taken); returns the new name."""
    target = aside(path)
    os.replace(path, target)
    return target.name


def aside(path: Path) -> Path:
    """A free `….bak` name beside `path`."""
    target, number = path.with_name(path.name + ".bak"), 1
    while os.path.lexists(target):
        number += 1
        target = path.with_name(f"{path.name}.{number}.bak")
    return target


def free_mb(path: Path) -> int:
    """Free disk space at `path` for this user, in MiB. Raises OSError when there is no such path."""
    stat = os.statvfs(path)
    return stat.f_bavail * stat.f_frsize // (1 << 20)
