"""Sleep that ends with a signal: a child that exits, or the wish that the controller stop."""

from __future__ import annotations

import os
import select
import signal
import time
from types import FrameType

from ..kernel.system import interrupts

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Wake:
    """While it is entered, stop signals are noted rather than obeyed. `asked` tells whether one came."""

    def __init__(self) -> None:
        """Nothing is changed until it is entered."""
        self.asked = False

    def __enter__(self) -> Wake:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._note) for number in (*STOPS, signal.SIGCHLD)}
        self.asked = interrupts.taken() or self.asked  # it came before we listened
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        os.close(self._read)
        os.close(self._write)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked = self.asked or number != signal.SIGCHLD

    def sleep(self, seconds: float) -> None:
        """At most `seconds`; shorter when a signal came, also one that came just before."""
        ready, _, _ = select.select([self._read], [], [], max(0.0, seconds))
        if ready:
            os.read(self._read, 4096)

    def rest(self, seconds: float) -> None:
        """All of `seconds`, unless a stop is asked for."""
        end = time.monotonic() + seconds
        while not self.asked and time.monotonic() < end:
            self.sleep(end - time.monotonic())
