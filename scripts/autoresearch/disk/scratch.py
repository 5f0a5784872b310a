"""Exec mode's scratch folder outside the repository."""

from __future__ import annotations

from pathlib import Path


def remove(path: Path) -> bool:
    """Remove the scratch snapshot, its temporary file, and its folder when that is empty then."""
    existed = path.exists()
    for item in (path, path.with_name(path.name + ".tmp")):
        item.unlink(missing_ok=True)
    try:
        path.parent.rmdir()
    except OSError:
        pass  # not empty, or already gone
    return existed
