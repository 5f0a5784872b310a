"""An earlier run's artifacts under their `.prev` names: all of them or none, also after a kill at any instant."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from ..kernel.disk import evidence, regular
from ..kernel.disk.layout import Layout
from . import archives

Moves = Sequence[tuple[Path, Path]]


def archive(layout: Layout, keep_log: bool = False) -> Moves:
    """Move them, and return the moves; lessons stay, they are for the next run.

    With `keep_log` the log stays in its place too, for the caller to replace in one step: a run is there all the time.
    `done` or `put_back` ends it. Raises `OSError` or `Refusal` with everything as it was.
    """
    moves = _planned(layout)
    if moves:
        told = {"moves": [[str(path) for path in pair] for pair in moves]}
        evidence.write_json(layout.evidence / evidence.ARCHIVING, told)
    made: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            target.parent.mkdir(exist_ok=True)
            if keep_log and source == layout.results:
                _copied(source, target)
            else:
                os.replace(source, target)
            made.append((source, target))
    except BaseException:
        put_back(layout, made)
        raise
    return made


def _planned(layout: Layout) -> Moves:
    moves: list[tuple[Path, Path]] = []
    found = list(layout.evidence.glob("[0-9]*")) if layout.evidence.is_dir() else []
    if found:
        # The folder itself holds the lock that is held right now, so its content moves, not the folder.
        target = layout.evidence.with_name(layout.evidence.name + ".prev")
        if target.exists():
            moves.append((target, archives.archive_name(target)))
        found += [path for path in layout.evidence.glob("*.json*") if not path.name.startswith(evidence.ARCHIVING)]
        moves += [(item, target / item.name) for item in found]
    for path in (layout.state, layout.results):
        newest = archives.newest(path)
        if os.path.lexists(path):
            moves += [(newest, archives.archive_name(path))] if os.path.lexists(newest) else []
            moves.append((path, newest))
    return moves


def _copied(source: Path, target: Path) -> None:
    """A second name for a file; where the file system has none, a copy."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        target.write_bytes(regular.read_bytes(source))


def done(layout: Layout) -> None:
    """The new run is there: nothing is put back any more."""
    for name in (evidence.ARCHIVING, evidence.ARCHIVING + ".tmp"):
        (layout.evidence / name).unlink(missing_ok=True)


def put_back(layout: Layout, moves: Moves) -> None:
    """The earlier run as it was. What cannot move stays under its `.prev` name."""
    for source, target in reversed(moves):
        if os.path.lexists(source) and source != layout.results:
            continue  # somebody has made it anew
        with contextlib.suppress(OSError):
            os.replace(target, source)
            if source == layout.results and target.exists():
                target.unlink()  # two names of one file: a rename does nothing
    for _, target in moves:
        with contextlib.suppress(OSError):
            target.parent.rmdir()  # the folder of the archive, where nothing else lies in it
    done(layout)


def mend(layout: Layout) -> None:
    """End what a killed command began: with the new run's log in place it is done, else all is put back."""
    note = evidence.read_json(layout.evidence / evidence.ARCHIVING)
    if note is None:
        return done(layout)
    pairs = [(Path(pair[0]), Path(pair[1])) for pair in note.get("moves", ()) if isinstance(pair, list)]
    made = list(takewhile(lambda pair: os.path.lexists(pair[1]), pairs))  # in their order, up to the kill
    old = next((target for source, target in made if source == layout.results), None)
    if old is not None and layout.results.is_file() and not _same(layout.results, old):
        return done(layout)
    return put_back(layout, made)


def _same(one: Path, other: Path) -> bool:
    return os.path.samefile(one, other) or regular.read_bytes(one) == regular.read_bytes(other)
