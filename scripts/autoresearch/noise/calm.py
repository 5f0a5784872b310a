"""Waiting for a calm moment before a pair of runs: other work that comes and goes is let pass, for a bounded time.

When a pair is run does not depend on the coin that orders its two runs, so the test over the coins stays exact.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ..machine import load

ONCE, ALL = 20.0, 60.0  # seconds that are waited at most, for one pair and for a whole trial
STEADY, BRIEFLY = 3.0, 5.0  # from so much load a core on it is no passing work, and so many seconds are enough
STEP = 0.25  # seconds between two looks
TOLD = 5.0  # seconds of waiting that an answer tells of


class Patience:
    """What one trial may still wait; once waiting was in vain it waits no more."""

    def __init__(
        self,
        contended: Callable[[], bool] = load.contended,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """The clock and the look at the machine can be replaced."""
        self._contended, self._sleep, self._clock = contended, sleep, clock
        now = load.read()
        self._once = BRIEFLY if now.load is not None and now.load > STEADY * now.cores else ONCE
        self.left = ALL
        self.waited = 0.0

    def wait(self) -> None:
        """Return once nobody else wants a core, or when the time is up."""
        if self.left <= 0 or not self._contended():
            return
        begun, most = self._clock(), min(self._once, self.left)
        while (gone := self._clock() - begun) < most:
            self._sleep(STEP)
            if not self._contended():
                self.left -= gone + STEP
                self.waited += gone + STEP
                return
        self.left = 0.0
        self.waited += gone

    def told(self) -> str:
        """What was waited, where it is worth telling."""
        return f"; {self.waited:.0f} s were waited for a calmer machine" if self.waited >= TOLD else ""
