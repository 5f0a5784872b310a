"""The ideas file: read, and changed under its lock."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..kernel.disk import atomic, locks, regular
from ..kernel.system import gitfiles
from . import bound as bounds
from . import ideas
from .bound import Bound
from .ideas import Idea


def read(path: Path) -> list[Idea]:
    """The entries; an absent or undecodable file has none."""
    try:
        return ideas.parse(regular.read_text(path))
    except (OSError, UnicodeDecodeError):
        return []


def change(path: Path, edit: Callable[[Sequence[Idea]], tuple[list[Idea], Idea]]) -> Idea:
    """Apply `edit` to the entries and write them; returns the entry that it names. Raises `Refusal` when unwritable."""
    with locked(path):
        entries, named = edit(read(path))
        limit = bounds.read(path)
        atomic.replace(path, ideas.render(entries, limit.text() if limit else ""))
        return named


def set_bound(path: Path, limit: Bound) -> None:
    """Write the run's bound above the ideas, in place of an earlier one."""
    with locked(path):
        atomic.replace(path, ideas.render(read(path), limit.text()))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file of notes, made where it is missing. Raises `Refusal` when unwritable.

    The lock is on the file that has the name now, so a rewrite by another process in between is seen.
    """
    gitfiles.hide(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = locks.open_locked(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise atomic.unwritable(path, error) from None
    try:
        yield
    finally:
        os.close(handle)
