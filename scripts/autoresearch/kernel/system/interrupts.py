"""Signals that ask a command to end: noted at any instant, obeyed where nothing is half-done, never lost.

An exception raised by a handler strikes anywhere: between the start of a child and the line that remembers it, or in a
place where Python drops it (a weak reference's callback inside `import`, a `__del__`). So the handler only notes the
signal. `check` obeys it, and stands before, between and after children. What blocks longer than `PATIENCE` elsewhere is
left by an alarm.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 2.0  # seconds that code without a check may go on
INSIST = 5.0  # seconds of cleaning up after which another signal breaks that off, too


class _Asked:
    """What this process was asked: the last signal, whether it was obeyed and when, and how many shields are up."""

    number = 0
    obeyed = 0.0
    shields = 0


def install() -> None:
    """Note the signals that end a command, but for those that whoever started us has switched off (`nohup`)."""
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _note)
    signal.signal(signal.SIGALRM, _alarm)


def _note(number: int, frame: FrameType | None) -> None:
    if not _Asked.obeyed:
        _Asked.number = number
        signal.setitimer(signal.ITIMER_REAL, PATIENCE, PATIENCE)
    elif time.monotonic() - _Asked.obeyed > INSIST:
        raise KeyboardInterrupt


def _alarm(number: int, frame: FrameType | None) -> None:
    check()


def check() -> None:
    """Raise `KeyboardInterrupt`, once, when a signal has asked for the end and no shield is up."""
    if _Asked.number and not _Asked.obeyed and not _Asked.shields:
        _Asked.obeyed = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise KeyboardInterrupt


def taken() -> bool:
    """Whether a signal has asked for the end; the caller obeys it in a way of its own, and nothing is raised."""
    if _Asked.number:
        _Asked.obeyed = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 0)
    return bool(_Asked.number)


@contextmanager
def shielded() -> Iterator[None]:
    """For the block no signal is obeyed: what it does is done whole."""
    _Asked.shields += 1
    try:
        yield
    finally:
        _Asked.shields -= 1


def pause(seconds: float) -> None:
    """Sleep, and obey a signal that came; raises `KeyboardInterrupt` then."""
    check()
    time.sleep(seconds)
    check()
