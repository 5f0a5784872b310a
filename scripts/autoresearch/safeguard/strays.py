"""What a check or a session has started, written down while it runs: the command after a kill ends it.

A daemon that clears its environment and leaves its parent carries no mark of ours. While we live it becomes our child
(Linux); when we are killed the kernel hands it on, and nothing tells any more whose it was. So all that is below us is
noted, with its start time, by a thread that looks more rarely the longer the check runs.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ..kernel.disk.layout import Layout
from ..kernel.system import interrupts, platform, process

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from threading import Event

NAME = "started.txt"
_SOON, _LATER = 0.02, 0.25  # seconds between two looks, at first and at last
_RARELY = 2.0  # the same at last, for a session, which lasts for long
_MOST = 500  # processes that are noted
_GRACE = 2.0  # seconds between asking and killing


def during(folder: Path) -> Callable[[], tuple[str, ...]]:
    """Begin to note what sessions start. What it returns ends all of it that is left below this process, with the note;
    the command lines. Orphans come to us (Linux), and what was below us before is not touched."""
    platform.adopt_orphans()
    before = set(process.descendants(os.getpid()))
    close = watch(folder, _RARELY)

    def end() -> tuple[str, ...]:
        """No session runs any more."""
        close()
        left = [(pid, process.identity(pid)) for pid in process.descendants(os.getpid()) if pid not in before]
        living = [(pid, known) for pid, known in left if known]
        told = tuple(platform.command_line(pid)[:200] for pid, _ in living)
        _end(living)
        _take_leave({pid for pid, _ in left})
        return told

    return end


def _take_leave(pids: Collection[int]) -> None:
    """Of adopted ones that have ended: nobody else waits for them."""
    for pid in pids:
        with suppress(OSError):
            os.waitpid(pid, os.WNOHANG)


def watch(folder: Path, later: float = _LATER) -> Callable[[], None]:
    """Begin to note what is below this process in an evidence folder; what ends that, and the note with it."""
    import threading

    path = folder / NAME
    if not take_up(path) or not _children(os.getpid(), os.getpid()):
        return lambda: None
    over = threading.Event()
    looker = threading.Thread(target=_look, args=(path, over, later), daemon=True)
    looker.start()

    def close() -> None:
        """End the thread, then remove its note, which nobody writes any more."""
        over.set()
        looker.join()
        with suppress(OSError):
            path.unlink()

    return close


def ended(layout: Layout, mark: str) -> None:
    """End what a killed measurement has left: the port `measure`. The mark has found the rest."""
    take_up(layout.evidence / NAME)


def take_up(path: Path) -> bool:
    """End what a dead process noted here; False where its writer lives."""
    try:
        lines = path.read_text("ascii").split("\n")
    except (OSError, UnicodeDecodeError):
        return True
    noted = [(int(pid), known) for pid, _, known in (line.partition(" ") for line in lines) if pid.isdecimal()]
    if noted and process.alive(*noted[0]):
        return False
    _end(noted[1:])
    with suppress(OSError):
        path.unlink()
    return True


def _end(noted: Sequence[tuple[int, str]]) -> None:
    """SIGTERM to those that live still and to what they have started since, SIGKILL after the grace."""
    roots = [(pid, known) for pid, known in noted if process.alive(pid, known)]
    left = {*roots, *((pid, process.identity(pid) or "") for root, _ in roots for pid in _below(root))}
    until = time.monotonic() + _GRACE
    for pid, known in left:
        process.terminate(pid, known)
    while any(process.alive(*one) for one in left) and time.monotonic() < until:
        interrupts.pause(0.02)
    for pid, known in left:
        process.terminate(pid, known, signal.SIGKILL)


def _look(path: Path, over: Event, later: float) -> None:
    """Note what is there, whenever it is something else, until told that it is over."""
    own, known, pause = f"{os.getpid()} {process.identity(os.getpid())}\n", "", _SOON
    while not over.wait(pause):
        pause = min(later, pause * 1.1)
        now = own + "".join(f"{pid} {process.identity(pid)}\n" for pid in sorted(_below(os.getpid()))[:_MOST])
        if now != known:
            known = now
            with suppress(OSError):
                _write(path, now.encode())


def _write(path: Path, data: bytes) -> None:
    """The whole text over the earlier one; a kill leaves one of the two, or the new one with an old end."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(handle, data, 0)
        os.ftruncate(handle, len(data))
    finally:
        os.close(handle)


def _below(pid: int) -> set[int]:
    """All children of a process, and theirs; without a look at any other process."""
    found: set[int] = set()
    new = {pid}
    while new and len(found) < _MOST:
        new = {child for one in new for child in _of(one)} - found
        found |= new
    return found


def _of(pid: int) -> Iterator[int]:
    with suppress(OSError, ValueError):
        for task in os.listdir(f"/proc/{pid}/task"):
            yield from map(int, _children(pid, int(task)).split()[1:])


def _children(pid: int, task: int) -> str:
    """The children that a thread has started, behind a word; "" where the system does not tell."""
    try:
        with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
            return "children " + file.read()
    except OSError:
        return ""
