"""Python's cached bytecode of sources whose content takes turns.

Python trusts a cache whose source has the same size and the same whole second of modification, which two
experiments in quick succession can share: the check would then measure the previous one. So the caches of
changed files go; where two contents take turns, each gets its own back, or every switch would charge the
next run with a compilation, and the longer source with the longer one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..core.frozen import dataclass

# Magic number, flags (0: checked by time and size), then time and size of the source, four bytes each (PEP 552).
_HEADER = 16


@dataclass(frozen=True)
class Cache:
    """One cache file, which was valid for its source."""

    source: Path
    path: Path
    content: bytes


def forget(root: Path, names: Iterable[str]) -> None:
    """Remove the cached bytecode of these Python files."""
    for _, cached in _caches(root, names):
        _remove(cached)


class Turns:
    """The bytecode of two contents of one tree that take turns, the candidate's and the retained one."""

    def __init__(self) -> None:
        self._kept: dict[tuple[bool, Path], list[Cache]] = {}

    def leave(self, candidate: bool, root: Path, names: Iterable[str]) -> None:
        """Put the bytecode of these files aside; to be called before their content goes."""
        found = list(_caches(root, names))
        self._kept[candidate, root] = [cache for pair in found for cache in _valid(*pair)]
        for _, cached in found:
            _remove(cached)

    def enter(self, candidate: bool, root: Path) -> None:
        """Bring back what was put aside for this content; to be called when it is in the tree again."""
        for cache in self._kept.pop((candidate, root), []):
            try:
                cache.path.write_bytes(cache.content[:8] + _stamp(cache.source) + cache.content[_HEADER:])
            except OSError:
                continue  # the next run compiles it


def _caches(root: Path, names: Iterable[str]) -> Iterator[tuple[Path, Path]]:
    for name in names:
        if name.endswith(".py"):
            source = root / name
            for folder in _folders(source):
                for cached in folder.glob(f"{glob_escape(source.stem)}.*.pyc"):
                    yield source, cached


def _folders(source: Path) -> Iterator[Path]:
    """Where the checks' interpreters may keep a source's bytecode: beside it, or where the user wants it kept."""
    yield source.parent / "__pycache__"
    elsewhere = os.environ.get("PYTHONPYCACHEPREFIX")
    if elsewhere:
        yield Path(elsewhere, *source.parent.absolute().parts[1:])


def _valid(source: Path, cached: Path) -> Iterator[Cache]:
    try:
        content = cached.read_bytes()
        if content[4:_HEADER] == bytes(4) + _stamp(source):
            yield Cache(source, cached, content)
    except OSError:
        return


def _stamp(source: Path) -> bytes:
    info = source.stat()
    return b"".join((int(value) & 0xFFFFFFFF).to_bytes(4, "little") for value in (info.st_mtime, info.st_size))


def _remove(cached: Path) -> None:
    try:
        cached.unlink()
    except OSError:
        return


def glob_escape(text: str) -> str:
    """`text` as a literal glob pattern."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in text)
