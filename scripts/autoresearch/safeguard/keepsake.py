"""Files that a check must not take away, remembered while it runs and put back when it did."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..kernel.disk import atomic, journal, regular

SMALL = 1 << 20  # bytes of a file of the user's that is remembered


def remember(paths: Iterable[Path], most: int | None = None) -> Mapping[Path, bytes]:
    """The content of those of these files that are there, of at most `most` bytes each."""
    found = {}
    for path in paths:
        try:
            if path.is_file() and (most is None or path.stat().st_size <= most):
                found[path] = path.read_bytes()
        except OSError:
            continue
    return found


def put_back(known: Mapping[Path, bytes]) -> tuple[str, ...]:
    """Restore what is missing, or in the case of a log is no longer what it was with sound lines after it; the names.

    A folder in a file's place moves aside.
    """
    gone = [path for path, data in known.items() if not _is_there(path, data)]
    for path in gone:
        write(path, known[path])
    return tuple(path.name for path in gone)


def write(path: Path, data: bytes) -> bool:
    """Put a file back; a folder in its place moves aside. False where that is not possible."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        copy = path.with_name(path.name + ".tmp")
        copy.write_bytes(data)
        if path.is_dir() and not path.is_symlink():
            atomic.set_aside(path)
        os.replace(copy, path)
    except OSError as error:
        raise atomic.unwritable(path, error) from None
    return True


def is_same(path: Path, data: bytes) -> bool:
    """Whether a file holds this."""
    try:
        return path.is_file() and path.read_bytes() == data
    except OSError:
        return False


def _is_there(path: Path, data: bytes) -> bool:
    if path.suffix != ".tsv":
        return path.is_file()
    try:
        found = regular.read_bytes(path)
        return found == data or (found.startswith(data) and bool(journal.parsed(found)))
    except (OSError, ValueError):
        return False
