"""Content hashes of evaluator files, tracked or not."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

FILE_LIMIT = 2000
_TEXT = 16 << 20  # bytes of a file whose line ends are looked at
# A file that was touched this recently (seconds) may change again within one tick of its time stamps.
SETTLED = 2.0
_known: dict[tuple[int, ...], str] = {}  # large data is read once a process; no program can set a ctime
_SKIP = frozenset(".git node_modules __pycache__ .venv venv .pytest_cache .mypy_cache .ruff_cache".split())


def walked(path: Path) -> Iterator[Path]:
    """A file, or the regular files below a folder."""
    try:
        if path.is_file():
            yield Path(os.path.normpath(path))
        elif path.is_dir():
            for folder, folders, names in os.walk(path):
                folders[:] = sorted(name for name in folders if name not in _SKIP)
                paths = (Path(os.path.normpath(os.path.join(folder, name))) for name in sorted(names))
                yield from filter(Path.is_file, paths)  # a pipe would never end
    except (OSError, ValueError):
        return  # a word that cannot be a path


def glob(root: Path, patterns: Iterable[str]) -> tuple[str, ...]:
    """Files below `root` that match scope-like patterns, ignored and untracked ones included."""
    from ..core import scope

    patterns = tuple(patterns)
    if not patterns:
        return ()
    inside = scope.matcher(" ".join(patterns))
    names = (path.relative_to(root).as_posix() for path in walked(root))
    return tuple(name for name in names if inside(name))[:FILE_LIMIT]


def digests(root: Path, names: Iterable[str]) -> dict[str, str]:
    """SHA-256 by name; a file that is missing or unreadable has the digest ""."""
    return {name: _digest(root / name) for name in names}


def is_same(path: Path, digest: str) -> bool:
    """Whether a file has this digest, with its own line ends or those that git may write in their place."""
    now = _digest(path)
    if now == digest or not now or path.stat().st_size > _TEXT:
        return now == digest
    plain = path.read_bytes().replace(b"\r\n", b"\n")
    return digest in (_of((text,)) + now[-1:] for text in (plain, plain.replace(b"\n", b"\r\n")))


def stamps(root: Path, names: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """What moves when a file is written, be it with the same content; () for one that is not there."""
    return {name: _stamp(root / name) for name in names}


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        info = path.stat()
    except OSError:
        return ()
    return (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns)


def _digest(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            info = os.fstat(file.fileno())
            key = (info.st_dev, info.st_ino, info.st_mode, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
            if key not in _known:
                fresh = time.time() - info.st_ctime < SETTLED
                value = _content(file)
                if fresh:
                    return value
                _known[key] = value
            return _known[key]
    except OSError:
        return ""


def _content(file: BinaryIO) -> str:
    return _of(iter(lambda: file.read(1 << 20), b"")) + ("x" if os.fstat(file.fileno()).st_mode & 0o111 else "-")


def _of(parts: Iterable[bytes]) -> str:
    import hashlib

    value = hashlib.sha256()
    for part in parts:
        value.update(part)
    return value.hexdigest()
