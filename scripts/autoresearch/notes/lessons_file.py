"""The lessons file: read, append under its lock, fold old entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..kernel.disk import atomic, regular
from . import lessons
from .ideas_file import locked
from .lessons import Lesson

_MARK = "\ufeff"  # what Windows editors put before a text


def read(path: Path) -> list[Lesson]:
    """The entries; an absent file has none. A byte that is no text costs itself alone: entries are rewritten."""
    try:
        return lessons.parse(regular.read_text(path, "replace").lstrip(_MARK))
    except OSError:
        return []


def _has_foreign(data: bytes) -> bool:
    """Whether a rewrite would lose something: text that is no entry, or bytes that are no text."""
    try:
        return lessons.has_foreign(data.decode("utf-8").lstrip(_MARK))
    except UnicodeDecodeError:
        return True


def append(path: Path, new: Lesson) -> Sequence[Lesson]:
    """Add one entry (its number is given here) and return all entries; raises `Refusal` when unwritable."""
    return _changed(path, lambda entries: lessons.add(entries, new))


def credit(path: Path, used: Sequence[str], kept: bool) -> None:
    """Note a trial that used these lessons; raises `Refusal` when unwritable."""
    _changed(path, lambda entries: lessons.credited(entries, used, kept))


def _changed(path: Path, edit: Callable[[Sequence[Lesson]], Sequence[Lesson]]) -> Sequence[Lesson]:
    """Apply `edit` to the entries and write them."""
    with locked(path):
        entries = edit(read(path))
        if _has_foreign(regular.read_bytes(path)):
            _keep_aside(path)
        atomic.replace(path, lessons.render(entries))
        return entries


def _keep_aside(path: Path) -> None:
    """Keep what `path` holds now as `….bak` too, before it is replaced. Raises `Refusal`."""
    target = atomic.aside(path)
    try:
        target.write_bytes(path.read_bytes())
    except OSError as error:
        target.unlink(missing_ok=True)
        raise atomic.unwritable(target, error) from None
