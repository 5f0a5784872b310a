"""The files of one session: a fresh set for each, and its event stream read while it grows, in bounded space."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from ..kernel.disk import atomic

LINE_LIMIT = 4 * 1024 * 1024  # bytes of one event; a longer one is not kept whole
FILE_LIMIT = 16 * 1024 * 1024  # past it what was read is dropped from the file
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Files:
    """Where a session's prompt, events, diagnostics and last message lie."""

    folder: Path

    @property
    def prompt(self) -> Path:
        """What the session was asked."""
        return self.folder / "prompt.txt"

    @property
    def events(self) -> Path:
        """The event stream."""
        return self.folder / "events.jsonl"

    @property
    def errors(self) -> Path:
        """What it said on stderr."""
        return self.folder / "stderr.txt"

    @property
    def last(self) -> Path:
        """Its last message."""
        return self.folder / "last-message.txt"

    def fresh(self, prompt: str) -> None:
        """Empty the files of the session before and write the prompt; raises `Refusal` where that fails."""
        atomic.replace(self.prompt, prompt)
        try:
            for path in (self.events, self.errors, self.last):
                path.write_bytes(b"")
        except OSError as error:
            raise atomic.unwritable(self.folder, error) from None

    def diagnostics(self, limit: int = 65536) -> str:
        """The beginning of stderr, where a refused start says why."""
        try:
            with open(self.errors, "rb") as file:
                return file.read(limit).decode("utf-8", "replace")
        except OSError:
            return ""


class FileFollower:
    """A growing file of lines, read on from where the last look ended."""

    def __init__(self, path: Path) -> None:
        """Open the file; raises `Refusal` when it is gone."""
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise Refusal(f"cannot read {path}: {error.strerror}; was the evidence folder removed?") from None
        self._offset, self._rest, self._skipping = 0, b"", False

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._handle)

    def lines(self) -> Iterator[bytes]:
        """The complete lines that came since; of a line beyond the limit only the beginning."""
        while True:
            data = os.pread(self._handle, _CHUNK, self._offset)
            if not data:
                break
            self._offset += len(data)
            yield from self._split(data)
        self._drop()

    def _split(self, data: bytes) -> Iterator[bytes]:
        *whole, rest = (self._rest + data).split(b"\n")
        for line in whole:
            if not self._skipping:
                yield line
            self._skipping = False
        self._rest = b"" if self._skipping else rest
        if len(rest) > LINE_LIMIT:
            yield rest
            self._rest, self._skipping = b"", True

    def _drop(self) -> None:
        """Empty a large file once all of it was read: its writer appends, and goes on at the new end."""
        if self._offset > FILE_LIMIT and os.fstat(self._handle).st_size == self._offset:
            os.ftruncate(self._handle, 0)
            self._offset = 0


def tail(path: Path, size: int) -> bytes:
    """The last `size` bytes of a file, b"" when it cannot be read."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - size))
            return file.read()
    except OSError:
        return b""


def trim(path: Path, limit: int) -> None:
    """Cut a file that others append to down to its last half when it has passed `limit` bytes."""
    try:
        if os.stat(path).st_size > limit:
            kept = tail(path, limit // 2)
            with open(path, "r+b") as file:
                file.truncate(0)
                file.write(kept)
    except OSError:
        pass
