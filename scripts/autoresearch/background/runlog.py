"""The controller's log: lines with a time, bounded, cut in place because detached programs hold it open."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ..kernel.core.text import one_line

LIMIT = 1024 * 1024  # bytes; past it the older part goes
KEPT = 256 * 1024
LINE = 2000  # characters
LOOKS = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ "  # the begin of a line, by which a log of ours is known


def write(path: Path, text: str) -> None:
    """Append one line; a log that cannot be written is no reason to end a run."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except (OSError, ValueError):  # a path may be no text
        return
    try:
        _cut(handle)
        os.write(handle, f"{stamp} {one_line(text, LINE)}\n".encode("utf-8", "replace"))
    except OSError:
        pass
    finally:
        os.close(handle)


def _cut(handle: int) -> None:
    size = os.fstat(handle).st_size
    if size > LIMIT:
        tail = os.pread(handle, KEPT, size - KEPT)
        os.ftruncate(handle, 0)
        os.write(handle, b"(older lines were cut)\n" + tail[tail.find(b"\n") + 1 :])


def read(path: Path, offset: int = 0) -> tuple[str, int]:
    """The complete lines from `offset` on and where the next read begins; all anew after a cut, "" without a log."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            start = offset if offset <= size else 0
            file.seek(start)
            data = file.read()
    except (OSError, ValueError):  # a path may be no text
        return "", 0
    data = data[: data.rfind(b"\n") + 1]
    return data.decode("utf-8", "replace"), start + len(data)


def tail(path: Path, lines: int) -> tuple[str, int]:
    """The last `lines` lines and where the next read begins."""
    text, offset = read(path)
    return "\n".join(text.split("\n")[-lines - 1 :]), offset
