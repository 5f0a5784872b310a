"""Where an earlier run's files go: under their `.prev` names, the newest without a number."""

from __future__ import annotations

import os
from pathlib import Path


def archive_name(path: Path, tag: str = "prev") -> Path:
    """`NAME.prev.EXT` beside `path`; an older archive moves on to `NAME.prev2.EXT` and so forth, none is lost."""
    number = 1
    while True:
        name = path.with_name(f"{path.stem}.{tag}{number if number > 1 else ''}{path.suffix}")
        if not os.path.lexists(name):
            return name
        number += 1


def newest(path: Path) -> Path:
    """Where `archive` puts `path`."""
    return path.with_name(f"{path.stem}.prev{path.suffix}")


def archive(path: Path) -> str:
    """Move `path` to `NAME.prev.EXT`, pushing earlier archives one number up; returns the new name or ""."""
    if not os.path.lexists(path):
        return ""
    target = newest(path)
    if os.path.lexists(target):
        os.replace(target, archive_name(path))
    os.replace(path, target)
    return target.name
