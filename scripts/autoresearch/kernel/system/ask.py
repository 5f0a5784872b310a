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
    return {name: text for name, (code, text) in exits(questions, seconds).items() if code == 0 and text}


def exits(questions: Mapping[str, Sequence[str]], seconds: float, cwd: str | None = None) -> dict[str, tuple[int, str]]:
    """The exit code and the output (stderr, where it fails) of each program that is installed; a negative code for one
    that had to be ended."""
    from shutil import which

    deadline = time.monotonic() + seconds
    found = {name: (which(argv[0]), argv) for name, argv in questions.items()}
    running = {name: _start([path, *argv[1:]], cwd) for name, (path, argv) in found.items() if path}
    return {name: _answer(child, deadline) for name, child in running.items() if child}


def _start(argv: Sequence[str], cwd: str | None) -> subprocess.Popen[bytes] | None:
    import subprocess

    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, start_new_session=True, cwd=cwd
        )
    except OSError:
        return None


def _answer(child: subprocess.Popen[bytes], deadline: float) -> tuple[int, str]:
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(_TICK)
    if child.poll() is None:
        _end(child)
    assert child.stdout is not None and child.stderr is not None
    with child.stdout, child.stderr:
        out, err = _available(child.stdout), _available(child.stderr)
    said = (err or out) if child.returncode else (out or err)
    return child.returncode, said.decode("utf-8", "replace").strip()


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
