"""The files that the words of a check name, and the text of those that are scripts."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ..kernel.disk.hashes import FILE_LIMIT, walked


def expand(root: Path, candidates: Iterable[str]) -> tuple[str, ...]:
    """The existing files among `candidates` (relative to `root` or absolute), folders walked, at most 2,000."""
    found: dict[str, None] = {}
    for candidate in candidates:
        place = Path(os.path.normpath(root / candidate))
        if place in root.parents or ".git" in place.parts:
            continue  # a check that names `/` or `..` does not mean the files around the repository, nor git's own
        for path in walked(root / candidate):
            name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
            found[name] = None
            if len(found) >= FILE_LIMIT:
                return tuple(found)
    return tuple(found)


def source_text(path: Path) -> str:
    """A script's text for reading its imports, "" when it is none."""
    try:
        return path.read_text("utf-8") if path.stat().st_size < 1 << 20 else ""
    except (OSError, UnicodeDecodeError):
        return ""
