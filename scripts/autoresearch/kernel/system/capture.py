"""Reads a child's streams into bounded memory."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from types import TracebackType

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import IO

_CHUNK = 65536


class HeadAndTail:
    """Head and tail of a stream; `total` counts all bytes that came."""

    def __init__(self, head: int, tail: int) -> None:
        self.total = 0
        self._room, self._keep = head, tail
        self._head, self._tail = bytearray(), bytearray()

    def add(self, data: bytes) -> None:
        """Take the next bytes, forgetting from the middle what does not fit."""
        self.total += len(data)
        free = self._room - len(self._head)
        self._head += data[:free]
        self._tail += data[free:]
        if len(self._tail) > 2 * self._keep:  # trimmed rarely, since each trim copies
            del self._tail[: -self._keep]

    def text(self) -> bytes:
        """All bytes, or head, a note on how many were cut, and tail."""
        tail = bytes(self._tail[-self._keep :])
        cut = self.total - len(self._head) - len(tail)
        note = f"\n[… {cut} bytes cut …]\n".encode() if cut else b""
        return bytes(self._head) + note + tail


class Capture:
    """Pipes read without blocking; as a context manager it closes them."""

    def __init__(self, pipes: Sequence[IO[bytes]], head: int, tail: int) -> None:
        import selectors

        self._pipes = tuple(pipes)
        self._kept = tuple(HeadAndTail(head, tail) for _ in pipes)
        self._selector = selectors.DefaultSelector()
        for pipe, kept in zip(self._pipes, self._kept):
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ, kept)

    def __enter__(self) -> Capture:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._selector.close()
        for pipe in self._pipes:
            pipe.close()

    def open(self) -> bool:
        """True while any pipe has a writer."""
        return bool(self._selector.get_map())

    def read(self, wait: float) -> bool:
        """Take what has come within `wait` seconds; False when nothing did."""
        ready = self._selector.select(wait)
        for key, _ in ready:
            data = os.read(key.fd, _CHUNK)
            if data:
                key.data.add(data)
            else:
                self._selector.unregister(key.fileobj)
        return bool(ready)

    def drain(self, wait: float) -> None:
        """Read until the pipes are closed, `wait` seconds have passed, or they are empty at wait 0."""
        deadline = time.monotonic() + wait
        for _ in range(4096):  # a writer that never pauses must not hold us
            left = max(0.0, deadline - time.monotonic())
            if not self.open() or not self.read(left) or (wait and not left):
                return

    def most(self) -> int:
        """The larger of the streams' byte counts."""
        return max(kept.total for kept in self._kept)

    def texts(self) -> tuple[bytes, ...]:
        """What is kept of each stream, in order."""
        found: list[bytes] = [kept.text() for kept in self._kept]
        return tuple(found)
