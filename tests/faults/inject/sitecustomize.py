"""Makes one step of a script go wrong: put this folder on PYTHONPATH, and Python imports this file at its start.

A step is a write, a sync, a rename, a lock, a file that is opened to be written, and the begin and end of each call
of git. FAULT_AT is its number, FAULT_HOW what happens there:

- `count`: nothing; each step is a line of FAULT_LOG.
- `before`, `after`: SIGKILL. `torn`: a write writes its first half, then SIGKILL.
- `EIO`, `ENOSPC`, …: the step fails with that errno. `full`: it and all later writing fails, as on a full disk.
- `gitdies`: that call of git is killed while it holds its lock, and we with it. `gitfails`: it declines.
"""

from __future__ import annotations

import builtins
import errno
import fcntl
import functools
import io
import os
import signal
import subprocess
import sys

AT, HOW, LOG = int(os.environ.get("FAULT_AT", "0")), os.environ.get("FAULT_HOW", ""), os.environ.get("FAULT_LOG", "")
DIES = 'touch "$(git rev-parse --git-dir)/index.lock"; kill -9 $$'
FAILS = 'echo "fatal: unable to write new index file: No space left on device" >&2; exit 128'
step = 0


def ours():
    """Whether this is a script of the project, and not a check, an agent or git's own Python."""
    words = getattr(sys, "orig_argv", None) or sys.argv
    return any("autoresearch_" in word or word == os.environ.get("FAULT_SCRIPT") for word in words[:3])


def die():
    """As by `kill -9`."""
    os.kill(os.getpid(), signal.SIGKILL)


def arrive(name, detail, writes=True):
    """Count a step; returns whether it is the one that dies after it is done."""
    global step
    step += 1
    if HOW == "count":
        with real_open(LOG, "a") as file:
            file.write(f"{step} {name} {detail}\n")
        return False
    if HOW == "full" and step >= AT and writes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(detail))
    if step != AT:
        return False
    if HOW == "before":
        die()
    if hasattr(errno, HOW) and writes:
        raise OSError(getattr(errno, HOW), os.strerror(getattr(errno, HOW)), str(detail))
    return HOW in ("after", "torn")


def counted(name, real, writes=True):
    """The function as a step."""

    def call(*args, **more):
        last = arrive(name, args[0] if args else "", writes)
        try:
            return real(*args, **more)
        finally:
            if last:
                die()

    return call


def written(name, real):
    """A write, of which a half may be done."""

    def call(handle, data, *rest):
        if handle in (1, 2):
            return real(handle, data, *rest)
        last = arrive(name, handle)
        try:
            return real(handle, bytes(data)[: len(data) // 2] if last and HOW == "torn" else data, *rest)
        finally:
            if last:
                die()

    return call


class Raw(io.FileIO):
    """An unbuffered file whose writes are steps."""

    def write(self, data):
        """Write, or fail."""
        last = arrive("write", self.name)
        try:
            return super().write(bytes(data)[: len(data) // 2] if last and HOW == "torn" else data)
        finally:
            if last:
                die()


def opened(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
    """`open`, whose writing is steps."""
    rest = (buffering, encoding, errors, newline, closefd, opener)
    if not set(mode) & set("wax+") or file in (1, 2) or str(file) == os.devnull or "+" in mode:
        return real_open(file, mode, *rest)
    if not isinstance(file, int):
        arrive("open", file)
    raw = Raw(file, "".join(c for c in mode if c not in "bt"), closefd, opener)
    if buffering == 0:
        return raw
    buffered = io.BufferedWriter(raw)
    return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors, newline)


def os_opened(path, flags, mode=0o777, **more):
    """`os.open`, a step where it is for writing."""
    if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and path != os.devnull:
        last = arrive("os.open", path)
        try:
            return real_os_open(path, flags, mode, **more)
        finally:
            if last:
                die()
    return real_os_open(path, flags, mode, **more)


class Popen(subprocess.Popen):  # type: ignore[type-arg]
    """Begin and end of each program are steps."""

    def __init__(self, args, *rest, **more):
        """Start it, or another one that fails."""
        self._is_git = not isinstance(args, str) and list(args)[:1] == ["git"]
        words = [word for word in args if not isinstance(word, bytes)][1:] if self._is_git else args
        name = "git" if self._is_git else "program"
        last = arrive(name, " ".join(words[-4:]) if self._is_git else str(args)[:80], writes=False)
        if self._is_git and step == AT and HOW in ("gitdies", "gitfails"):
            args = ["/bin/sh", "-c", DIES if HOW == "gitdies" else FAILS]
        self._fatal = last or (step == AT and HOW == "gitdies" and self._is_git)
        super().__init__(args, *rest, **more)

    def communicate(self, *args, **more):
        """Wait for its end."""
        found = super().communicate(*args, **more)
        if self._fatal:
            die()
        return found

    def __exit__(self, *args):
        """Its end too."""
        super().__exit__(*args)
        if self._fatal:
            die()


if HOW and ours():
    real_open, real_os_open = builtins.open, os.open
    builtins.open = io.open = opened
    # A partial is no method: pathlib of Python 3.9 has these functions as attributes of a class, as builtins are.
    os.open = functools.partial(os_opened)
    for name in ("replace", "rename", "mkdir", "symlink", "link", "truncate", "fsync", "ftruncate", "utime", "chmod"):
        setattr(os, name, functools.partial(counted(name, getattr(os, name))))
    for name in ("unlink", "remove", "rmdir"):
        setattr(os, name, functools.partial(counted(name, getattr(os, name), writes=False)))
    for name in ("write", "pwrite"):
        setattr(os, name, written(name, getattr(os, name)))
    fcntl.flock = counted("flock", fcntl.flock)
    subprocess.Popen = Popen  # type: ignore[misc]
