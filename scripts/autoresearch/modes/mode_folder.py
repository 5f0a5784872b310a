"""A mode's folder on disk: made once, its log appended to under a lock, its Markdown replaced whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..kernel.core.errors import Refusal
from ..kernel.disk import atomic, locks, regular
from . import mode_entries
from .mode_schemas import Schema, schema_of


def create(root: Path, schema: Schema, name: str) -> Path:
    """Make `root/MODE/NAME`, with `-2` and so on where it exists; the log is still to be written.

    Raises `Refusal` where the mode's folder is a file or a link, or cannot be written.
    """
    parent = root / schema.mode
    if os.path.lexists(parent) and (parent.is_symlink() or not parent.is_dir()):
        raise Refusal(f"{parent} is no folder of the repo, expected one for the audit trail; move it and open again")
    for number in range(1, 100):
        folder = parent / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise atomic.unwritable(folder, error) from None
        return folder
    raise Refusal(f"{parent / name} exists 99 times, expected a new folder; pass another --slug")


def newest(root: Path, mode: str) -> Path | None:
    """The latest folder of a mode, by its name; None where there is none."""
    found = sorted(path.name for path in (root / mode).glob("[0-9]*-[0-9]*-*") if path.is_dir())
    return root / mode / found[-1] if found else None


def identify(folder: Path) -> Schema:
    """The schema of an existing mode folder; raises `Refusal` for any other place."""
    schema = schema_of(folder.parent.name)
    mode_entries.split_name(folder.name)
    if not (folder / schema.log).is_file():
        raise Refusal(f"{folder} has no {schema.log}, expected a folder that `open` made; pass the dir it answered")
    return schema


def start(folder: Path, schema: Schema, head: str) -> None:
    """Write the head of a new log, whole or not at all."""
    atomic.replace(folder / schema.log, head)


def read_log(folder: Path, schema: Schema) -> str:
    """The whole records of the folder's log; raises `Refusal` when it cannot be read."""
    try:
        return _whole(regular.read_bytes(folder / schema.log))
    except OSError as error:
        raise Refusal(f"cannot read {folder / schema.log}: {error.strerror}; check the folder") from None


def _whole(data: bytes) -> str:
    return data[: mode_entries.whole_length(data)].decode("utf-8", "replace")


class LockedModeLog:
    """The log while its lock is held: what it says, and the only way to add to it."""

    def __init__(self, handle: int, path: Path) -> None:
        """Read the log through an open, locked descriptor."""
        self._handle, self._path = handle, path
        data = os.pread(handle, os.fstat(handle).st_size, 0)
        self._size = mode_entries.whole_length(data)
        self.text = _whole(data)

    def append(self, record: str) -> None:
        """Add one record in one durable write, over what a torn write left; a failed one leaves no trace."""
        data = memoryview(record.encode("utf-8", "replace"))
        try:
            os.ftruncate(self._handle, self._size)
            offset = self._size
            while data:
                written = os.pwrite(self._handle, data, offset)
                data, offset = data[written:], offset + written
            os.fsync(self._handle)
        except OSError as error:
            os.ftruncate(self._handle, self._size)
            raise atomic.unwritable(self._path, error) from None
        self.text += record
        self._size = offset


@contextmanager
def locked(folder: Path, schema: Schema) -> Iterator[LockedModeLog]:
    """Hold the lock of the folder's log for the block, after everybody who came before."""
    path = folder / schema.log
    try:
        handle = locks.open_locked(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError as error:
        raise atomic.unwritable(path, error) from None
    try:
        yield LockedModeLog(handle, path)
    finally:
        os.close(handle)


def write_pages(folder: Path, pages: Mapping[str, str]) -> None:
    """Replace those rendered files whose text is new. Call with the log's lock held."""
    for name, content in pages.items():
        if _current(folder / name) != content:
            atomic.replace(folder / name, content)


def _current(path: Path) -> str | None:
    try:
        return regular.read_text(path)
    except (OSError, UnicodeDecodeError):
        return None


def line_count(root: Path, relative: str) -> int | None:
    """Number of lines of a file inside `root`; `None` when there is no such file, or it lies outside."""
    path = Path(os.path.realpath(root / relative))
    if Path(os.path.realpath(root)) not in path.parents or not path.is_file():
        return None
    try:
        with open(path, "rb") as file:
            return sum(1 for _ in file)
    except OSError:
        return None


def read_input(path: Path, limit: int) -> str:
    """The text of a file of at most `limit` bytes; raises `Refusal` when it is larger or cannot be read."""
    try:
        with open(path, "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise Refusal(f"cannot read {path}: {error.strerror}; write @@ for a value that begins with @") from None
    if len(data) > limit:
        raise Refusal(f"{path} is larger than {limit} bytes, expected less; pass the part that matters")
    return data.decode("utf-8", "replace")
