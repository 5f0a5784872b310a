"""The interactive Codex in a terminal of its own, typed into and read by a test."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.conftest import HANG
from tests.unattended import kill

_ESCAPES = re.compile(
    rb"\x1b\[[0-9;?<>=!]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_()][0-9A-Za-z]?|\x1b[=>78]"
)
_KEY = re.compile(r"\x1b\[[0-9;]*[A-Za-z~]|.", re.DOTALL)  # one with a sequence of its own, such as an arrow, is one
# What a program asks its terminal before it draws, and what a plain one answers.
_QUESTIONS = {b"\x1b[6n": b"\x1b[1;1R", b"\x1b[c": b"\x1b[?62c"}


class Terminal:
    """A program on a terminal of 160 by 50; `close` ends its process group."""

    def __init__(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str] = os.environ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
        self._child = subprocess.Popen(
            argv, cwd=cwd, env={**env, "TERM": "xterm-256color"}, stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self._drawn = b""

    def text(self) -> str:
        """All that was drawn so far, without escapes, blanks run together."""
        return " ".join(_ESCAPES.sub(b" ", self._drawn).decode("utf-8", "replace").split())

    def waits_for(self, pattern: str, seconds: float = HANG) -> bool:
        """Whether a pattern is drawn within the time."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text()):
            if time.monotonic() > end:
                return False
            self._look(0.2)
        return True

    def keys(self, text: str, quiet: float = 1.0) -> None:
        """Press keys one by one, as a person does (pasted text is taken differently), until nothing moves."""
        for key in _KEY.findall(text):
            os.write(self._master, key.encode())
            self._look(0.03)
        self._look(quiet)

    def says(self, words: str, heard: Callable[[], bool]) -> None:
        """Type words and Enter, again where nobody heard: a program that still loads takes it for a new line."""
        self.keys(words)
        for _ in range(3):
            self.keys("\r")
            end = time.monotonic() + 20
            while not heard() and time.monotonic() < end:
                self._look(0.2)
            if heard():
                return

    def _look(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self._master], [], [], left)[0]:
                try:
                    data = os.read(self._master, 65536)
                except OSError:
                    return
                self._drawn += data
                for question, answer in _QUESTIONS.items():
                    os.write(self._master, answer * data.count(question))

    def close(self) -> None:
        """End the program; a second time does nothing."""
        if self._master < 0:
            return
        if self._child.poll() is None:
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        os.close(self._master)
        self._master = -1


def end_server(home: Path) -> None:
    """End the background server of a Codex home and the loop that starts it anew; it may be about to start."""
    quiet = 0
    while quiet < 5:
        found = [entry.name for entry in Path("/proc").glob("[0-9]*") if _line(entry).startswith(str(home))]
        for name in found:
            kill(int(name), signal.SIGKILL)
        quiet = 0 if found else quiet + 1
        time.sleep(0.2)


def _line(entry: Path) -> str:
    try:
        return (entry / "cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""
