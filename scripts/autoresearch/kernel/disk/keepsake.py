"""Files that a check must not take away, remembered while it runs and put back when it did."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from . import atomic, journal, regular


def remember(paths: Iterable[Path]) -> Mapping[Path, bytes]:
    """The content of those of these files that are there."""
    found = {}
    for path in paths:
        try:
            if path.is_file():
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
        path.parent.mkdir(parents=True, exist_ok=True)
        copy = path.with_name(path.name + ".tmp")
        copy.write_bytes(known[path])
        if path.is_dir() and not path.is_symlink():
            atomic.set_aside(path)
        os.replace(copy, path)
    return tuple(path.name for path in gone)


def _is_there(path: Path, data: bytes) -> bool:
    if path.suffix != ".tsv":
        return path.is_file()
    try:
        found = regular.read_bytes(path)
        return found == data or (found.startswith(data) and bool(journal.parse(found)))
    except (OSError, ValueError):
        return False
