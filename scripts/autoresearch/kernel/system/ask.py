"""Short questions to other programs, all at once, each with a time limit."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

_MOST = 65536  # bytes of output that are read; a pipe holds no more, so a flood just runs into its limit
_TICK = 0.01


def ask_all(questions: Mapping[str, Sequence[str]], seconds: float) -> dict[str, str]:
    """The output (stdout, then stderr when that is empty) of each program that exits 0 within `seconds`.

    Programs that are not installed, fail, or take longer are left out of the answer.
    """
    from shutil import which

    deadline = time.monotonic() + seconds
    found = {name: (which(argv[0]), argv) for name, argv in questions.items()}
    running = {name: _start([path, *argv[1:]]) for name, (path, argv) in found.items() if path}
    answers = {name: _answer(child, deadline) for name, child in running.items() if child}
    return {name: text for name, text in answers.items() if text}


def _start(argv: Sequence[str]) -> subprocess.Popen[bytes] | None:
    import subprocess

    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, start_new_session=True)
    except OSError:
        return None


def _answer(child: subprocess.Popen[bytes], deadline: float) -> str:
    """What the program said, "" when it failed or had to be ended."""
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(_TICK)
    if child.poll() is None:
        _end(child)
    assert child.stdout is not None and child.stderr is not None
    with child.stdout, child.stderr:
        said = _available(child.stdout) or _available(child.stderr)
    return said.decode("utf-8", "replace").strip() if child.returncode == 0 else ""


def _end(child: subprocess.Popen[bytes]) -> None:
    import signal

    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    child.wait()


def _available(pipe: IO[bytes]) -> bytes:
    """What is in the pipe now, without waiting for a grandchild that still holds it."""
    os.set_blocking(pipe.fileno(), False)
    try:
        return os.read(pipe.fileno(), _MOST)
    except BlockingIOError:
        return b""
