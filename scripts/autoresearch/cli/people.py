"""What commands for people share: text on a terminal, JSON otherwise, and a word when something takes long."""

from __future__ import annotations

import argparse
import functools
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from ..kernel.core.text import one_line
from . import Outcome

PATIENCE = 1.0  # seconds of silence that nobody minds
SILENCE = 10.0  # seconds, where an agent reads each word


def add_format(parser: argparse.ArgumentParser) -> None:
    """`--format`."""
    parser.add_argument("--format", choices=("text", "json"), help="default: text on a terminal, else json")


def answer(args: argparse.Namespace, payload: Mapping[str, Any], text: str, exit_code: int = 0) -> Outcome:
    """The outcome in the form that was asked for, or that suits where stdout leads."""
    wanted = args.format or ("text" if sys.stdout.isatty() else "json")
    return Outcome(payload, exit_code, text if wanted == "text" else None)


class Progress:
    """Says on stderr what is being done, once that has taken `patience` seconds."""

    def __init__(self, patience: float = PATIENCE) -> None:
        """Nothing is said until the first `step`."""
        from threading import Timer

        self._patience, self._make = patience, Timer
        self._timer: Any = None

    def step(self, what: str) -> None:
        """From now on `what` is being done."""
        self._stop()
        self._timer = self._make(self._patience, _say, (what,))
        self._timer.daemon = True
        self._timer.start()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()


class _Waited:
    """What those who wait for a command have heard: a word every ten seconds at most, and then the latest one."""

    def __init__(self) -> None:
        self._slow, self._heard = Progress(SILENCE), time.monotonic()

    def step(self, what: str) -> None:
        """From now on `what` is being done, nothing where it is empty."""
        self._slow.__exit__(None, None, None)
        if what and time.monotonic() - self._heard > SILENCE:
            self._heard = time.monotonic()
            _say(what)
        elif what:
            self._slow.step(what)


@functools.cache
def _waited() -> _Waited:
    return _Waited()


def progress(what: str) -> None:
    """Say on stderr what a command does that takes long; "" when that is done (the port `measure`)."""
    _waited().step(what)


def _say(what: str) -> None:
    sys.stderr.write(f"… {one_line(what, 120)}\n")
    sys.stderr.flush()
