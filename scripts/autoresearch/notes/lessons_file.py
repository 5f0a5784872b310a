"""The lessons file: read, append under its lock, fold old entries."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from ..kernel.disk import atomic, locks
from . import lessons
from .lessons import Lesson


def read(path: Path) -> list[Lesson]:
    """The entries; an absent file has none. A byte that is no text costs itself alone: entries are rewritten."""
    try:
        return lessons.parse(path.read_text("utf-8", "replace"))
    except OSError:
        return []


def append(path: Path, new: Lesson) -> Sequence[Lesson]:
    """Add one entry (its number is given here) and return all entries; raises `Refusal` when unwritable."""
    return _changed(path, lambda entries: lessons.add(entries, new))


def credit(path: Path, used: Sequence[str], kept: bool) -> None:
    """Note a trial that used these lessons; raises `Refusal` when unwritable."""
    _changed(path, lambda entries: lessons.credited(entries, used, kept))


def _changed(path: Path, edit: Callable[[Sequence[Lesson]], Sequence[Lesson]]) -> Sequence[Lesson]:
    """Apply `edit` to the entries and write them.

    The lock is on the file that has the name now, so a rewrite by another process in between is seen.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = locks.open_locked(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise atomic.unwritable(path, error) from None
    try:
        entries = edit(read(path))
        atomic.replace(path, lessons.render(entries))
        return entries
    finally:
        os.close(handle)


def has_iteration(path: Path, iteration: str) -> bool:
    """Whether a lesson of `run-tag#N` is already written."""
    return any(entry.iteration == iteration for entry in read(path))
