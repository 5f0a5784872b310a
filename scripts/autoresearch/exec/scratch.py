"""Exec mode's scratch folder outside the repository."""

from __future__ import annotations

from pathlib import Path


def remove(path: Path) -> bool:
    """Remove the scratch snapshot, what lies beside it, and its folder; whether there was a snapshot."""
    existed = path.exists()
    for item in path.parent.glob("autoresearch-*.exec.*"):
        item.unlink(missing_ok=True)
    try:
        path.parent.rmdir()
    except OSError:
        pass  # not empty, or already gone
    return existed
