"""The live screen: it looks once a second whether a file has changed, and draws only what is new.

Keyboard and screen are file descriptors that the caller owns; whatever ends the watch, the terminal is left as it
was found.
"""

from __future__ import annotations

import os
import select
import signal
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any

from ..kernel.core.errors import Refusal
from ..kernel.core.text import one_line
from ..kernel.disk import evidence
from ..kernel.disk.layout import Layout
from ..kernel.system import interrupts
from . import accounting, excerpts, screenchart
from .account_model import Account
from .terminal import Terminal, screen

TICK = 1.0  # seconds between two looks
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_HOME, _CLEAR, _CLEAR_LINE = "\x1b[H", "\x1b[2J", "\x1b[K"
_QUIT = (b"q", b"Q", b"\x03", b"\x04")
_NOTE = "q quits"


class LiveView:
    """What is shown right now, and what it was drawn from."""

    def __init__(self, layout: Layout, terminal: Terminal) -> None:
        """Read the run; raises `Refusal` when there is none."""
        self._layout, self._terminal = layout, terminal
        self._files = (layout.results, layout.state, layout.runtime, evidence.intent_path(layout.evidence))
        self._seen = excerpts.signature(*self._files)
        self.account, self._problem = accounting.read(layout, time.time()), ""
        self._drawn: tuple[tuple[int, ...], list[str]] = ((), [])

    def text(self, size: os.terminal_size, live: bool = True) -> str:
        """The screen as of now; a `live` one fills the height and says how to leave."""
        self._refresh()
        account = replace(self.account, clock=time.time())
        note = f"{_NOTE}   {self._problem}".rstrip() if live else ""
        return screen(account, replace(self._terminal, width=size.columns, height=size.lines), note, self._draw)

    def _draw(self, account: Account, width: int, height: int, fine: bool) -> list[str]:
        """The drawing, made anew only for other rows or another size: it is the dear part of a screen."""
        key = (id(account.experiments), width, height, fine)
        if key != self._drawn[0]:
            self._drawn = key, screenchart.draw(account, width, height, fine)
        return self._drawn[1]

    def _refresh(self) -> None:
        """Read again what has changed; a run that cannot be read keeps its last screen, with the reason."""
        now = excerpts.signature(*self._files)
        try:
            if now != self._seen:
                self.account, self._problem = accounting.read(self._layout, time.time()), ""
            elif self.account.trial or self.account.controller:
                self.account = accounting.live(self.account, self._layout)
        except Refusal as refusal:
            self._problem = one_line(str(refusal), 300)
        self._seen = now


def follow(watch: LiveView, keyboard: int | None, output: int) -> None:
    """Show the run until q, Ctrl-C or a signal to end; `keyboard` is None where there is none to listen to."""
    with _waker() as waker, _raw(keyboard), _alternate(output):
        shown = ""
        listen = [waker] if keyboard is None else [waker, keyboard]
        while True:
            text = watch.text(os.get_terminal_size(output))
            if text != shown:
                lines = "\r\n".join(_CLEAR_LINE + line for line in text.split("\n"))
                _write(output, ("" if shown else _CLEAR) + _HOME + lines)
                shown = text
            ready, _, _ = select.select(listen, [], [], TICK)
            if waker in ready and _signals(waker):
                shown = ""  # the size changed: what stands there is not what was drawn
            if keyboard in ready and _wants_to_quit(keyboard):
                return


def _wants_to_quit(keyboard: int | None) -> bool:
    pressed = os.read(keyboard, 64) if keyboard is not None else b""
    return not pressed or any(key in pressed for key in _QUIT)


def _write(output: int, text: str) -> None:
    data = memoryview(text.encode("utf-8", "replace"))
    while data:
        data = data[os.write(output, data) :]


def _signals(waker: int) -> bytes:
    try:
        return os.read(waker, 64)
    except BlockingIOError:
        return b""


@contextmanager
def _waker() -> Iterator[int]:
    """A descriptor that becomes readable when the terminal changes its size; signals to end raise."""
    receive, send = os.pipe()
    os.set_blocking(receive, False)
    os.set_blocking(send, False)
    before: dict[int, Any] = {name: signal.signal(name, _ended) for name in interrupts.ENDING}
    before[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, lambda number, frame: None)
    earlier = signal.set_wakeup_fd(send)
    try:
        yield receive
    finally:
        signal.set_wakeup_fd(earlier)
        for name, handler in before.items():
            signal.signal(name, handler)
        os.close(receive)
        os.close(send)


def _ended(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def _raw(keyboard: int | None) -> Iterator[None]:
    """Keys arrive one by one and unseen; Ctrl-Z is off, for it would leave the shell in this state."""
    if keyboard is None:
        yield
        return
    before = termios.tcgetattr(keyboard)
    try:
        tty.setcbreak(keyboard)
        mode = termios.tcgetattr(keyboard)
        mode[6][termios.VSUSP] = bytes([os.fpathconf(keyboard, "PC_VDISABLE")])
        termios.tcsetattr(keyboard, termios.TCSANOW, mode)
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSAFLUSH, before)


@contextmanager
def _alternate(output: int) -> Iterator[None]:
    """A screen of its own, so that what stood there comes back."""
    try:
        _write(output, _ENTER)
        yield
    finally:
        _write(output, _LEAVE)
