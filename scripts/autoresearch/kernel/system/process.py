"""Processes: a check run to its end with all it started, and pids that are never mistaken."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from ..core.frozen import dataclass
from . import interrupts, platform
from .capture import Capture

TYPE_CHECKING = False
if TYPE_CHECKING:
    import resource
    import subprocess
    from typing import NoReturn

MARK = "AUTORESEARCH_MARK"
_started: set[int] = set()  # children that a Popen of ours waits for
_TICK = 0.02  # seconds between looks at a process
_NAP = 0.0005  # the first wait for a shell whose pipes are closed
_KILLS = 5  # rounds of SIGKILL before a process counts as one that cannot be ended, however slow the machine is
_HELPER = 1.0  # seconds that what a check started may go on when its shell has ended
_LAST = 1.0  # seconds that the kernel gets to remove what was killed
_PIPES = (-3, -1, -1)  # subprocess.DEVNULL, PIPE, PIPE, without importing it at start-up
_DRAIN = 0.2  # seconds that a pipe may stay open after the shell has ended


@dataclass(frozen=True)
class Limits:
    """Bounds of one check: seconds between SIGTERM and SIGKILL, bytes a stream may produce and we keep, and the
    command line of a sandbox that it runs in."""

    grace: float = 2.0
    total: int = 64 * 1024 * 1024
    head: int = 256 * 1024
    tail: int = 768 * 1024
    within: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finished:
    """How a check ended and what it printed."""

    exit_code: int | None  # None when a signal ended the shell
    signal: int  # that signal, or 0
    timed_out: bool
    overflowed: bool  # a stream passed Limits.total, so the check was ended
    duration: float  # seconds until the shell was gone
    stdout: bytes  # all, or head, a note on what was cut, tail
    stderr: bytes
    leftovers: tuple[str, ...]  # command lines of what outlived the shell and was ended
    cpu: float = 0.0  # processor seconds of the shell and of all that was waited for, orphans that came to us included
    rss: int = 0  # bytes: the peak of the largest process among these
    floor: int = 0  # bytes that the peak has at least because a child begins as a copy of us


@dataclass(frozen=True)
class Streams:
    """The files of a detached program: what it reads (None: nothing), and what its output is appended to."""

    stdin: Path | None
    stdout: Path
    stderr: Path


@dataclass(frozen=True)
class Process:
    """A started process that leads its own session: its process group has the same id."""

    pid: int
    identity: str
    child: subprocess.Popen[bytes]

    def poll(self) -> int | None:
        """The exit code (minus the signal when one ended it), None while it runs."""
        return self.child.poll()


def run_shell(
    command: str,
    cwd: Path,
    timeout: float | None,
    env: Mapping[str, str],
    mark: str,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Finished:
    """Run `/bin/sh -c command` in a session of its own and wait for it, at most `timeout` seconds.

    stdin is empty, `env` is added to ours. Whatever the command started is ended before this
    returns or raises, daemons included. Raises OSError when the shell cannot be started.
    """
    strays = _Strays(mark)
    try:
        interrupts.check()
        start = time.monotonic()
        child = _popen([*limits.within, "/bin/sh", "-c", command], cwd, _environment(env, mark), _PIPES)
        return _Watch(child, start, timeout, strays, limits).finish()
    except BaseException:
        _end(strays.pids, limits.grace)
        raise


class _Strays:
    """What a check started: what carries its mark, and on Linux each orphan that has become ours since."""

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.before = set(descendants(os.getpid())) if _adopts() else None
        self.used: list[resource.struct_rusage] = []  # by those that have ended

    def pids(self) -> tuple[int, ...]:
        """The processes that run."""
        found = set(pids_with_mark(self.mark))
        if self.before is not None:
            parents = platform.parents()
            self.used += _reap(self.before, parents)
            mine = {pid for pid, parent in parents.items() if parent == os.getpid()} - self.before
            found |= mine | _below(mine, parents)
        return tuple(sorted(pid for pid in found if identity(pid)))


@lru_cache(maxsize=1)
def _adopts() -> bool:
    return platform.adopt_orphans()


def _reap(known: Collection[int], parents: Mapping[int, int]) -> Iterator[resource.struct_rusage]:
    """Take leave of adopted processes that have ended, yielding what they used; those that we started ourselves are
    waited for elsewhere."""
    for pid, parent in parents.items():
        if parent == os.getpid() and pid not in known and pid not in _started and not identity(pid):
            try:
                ended, _, used = os.wait4(pid, os.WNOHANG)
            except ChildProcessError:
                continue
            if ended:
                yield used


class _Watch:
    """One running check: reads its streams, ends it when it is over time or too loud."""

    def __init__(
        self, child: subprocess.Popen[bytes], start: float, timeout: float | None, strays: _Strays, limits: Limits
    ) -> None:
        self.child, self.start, self.strays, self.limits = child, start, strays, limits
        self.deadline = None if timeout is None else start + timeout
        self.kill_at: float | None = None
        self.timed_out = self.overflowed = False
        self.nap = _NAP
        assert child.stdout is not None and child.stderr is not None
        self.capture = Capture((child.stdout, child.stderr), limits.head, limits.tail)

    def finish(self) -> Finished:
        """Wait for the shell, then end what it left behind."""
        with self.capture:
            while not self._ended():
                interrupts.check()
                self._look()
                self._police()
            duration = time.monotonic() - self.start
            self.capture.drain(0 if self.kill_at else _DRAIN)
            leftovers = self._sweep()
            self.capture.drain(0)
            out, err = self.capture.texts()
        interrupts.check()  # whoever ends us has perhaps ended the child: its end is no result then
        code = self.child.returncode
        spent = (sum(used.ru_utime + used.ru_stime for used in self.strays.used), self._peak(), platform.own_peak())
        how = (code if code >= 0 else None, max(0, -code), self.timed_out, self.overflowed)
        return Finished(*how, duration, out, err, leftovers, *spent)

    def _ended(self) -> bool:
        """Whether the shell has ended; `wait4` tells what it used, which `Popen` does not."""
        if self.child.returncode is None:
            try:
                pid, status, used = os.wait4(self.child.pid, os.WNOHANG)
            except ChildProcessError:  # whoever started us has children taken away unseen; so `Popen` takes it too
                self.child.returncode = 0
                return True
            if pid:
                self.child.returncode = os.waitstatus_to_exitcode(status)
                self.strays.used.append(used)
        return self.child.returncode is not None

    def _peak(self) -> int:
        return platform.PEAK_UNIT * max((used.ru_maxrss for used in self.strays.used), default=0)

    def _look(self) -> None:
        """Read what comes within a tick; once the pipes are closed, wait for the shell instead, short at first: the
        usual shell ends with its pipes."""
        if self.capture.open():
            self.capture.read(_TICK)
            return
        time.sleep(self.nap)
        self.nap = min(2 * self.nap, _TICK)

    def _police(self) -> None:
        """SIGTERM when time or room is over, SIGKILL after the grace."""
        now = time.monotonic()
        if self.kill_at is None:
            self.timed_out = self.deadline is not None and now >= self.deadline
            self.overflowed = self.capture.most() > self.limits.total
            if self.timed_out or self.overflowed:
                self.kill_at = now + self.limits.grace
                self._signal(signal.SIGTERM)
        elif now >= self.kill_at:
            self._signal(signal.SIGKILL)

    def _signal(self, sig: int) -> None:
        signal_group(self.child.pid, sig)
        for pid in self.strays.pids():
            _send(pid, identity(pid), sig)

    def _sweep(self) -> tuple[str, ...]:
        pids = self.strays.pids()
        patience = time.monotonic() + _HELPER
        while pids and self.kill_at is None and time.monotonic() < patience:
            interrupts.check()
            time.sleep(_TICK)  # a helper that ends by itself is none that was left behind
            pids = self.strays.pids()
        names = tuple(filter(None, (_clean(platform.command_line(pid)) for pid in pids)))
        if pids:
            spent = self.kill_at is not None
            left = max(0.0, (self.kill_at or 0) - time.monotonic()) if spent else self.limits.grace
            _end(self.strays.pids, left)
            self.strays.pids()
        return names


def become(script: Path, flags: Sequence[str]) -> NoReturn:
    """Go on as another script of Python, in this very process."""
    os.execv(sys.executable, [sys.executable, str(script), *flags])


def start_detached(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str], streams: Streams, mark: str, keep: Sequence[int] = ()
) -> Process:
    """Start a program in a new session, its output appended to files; it outlives us.

    `env` is added to ours; `keep` are descriptors that it inherits, such as one that holds a lock.
    Raises OSError when it cannot be started.
    """
    with (
        open(streams.stdin or os.devnull, "rb") as source,
        open(streams.stdout, "ab") as out,
        open(streams.stderr, "ab") as err,
    ):
        child = _popen(argv, cwd, _environment(env, mark), (source.fileno(), out.fileno(), err.fileno()), keep)
    return Process(child.pid, identity(child.pid) or "", child)


def _popen(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str], files: tuple[int, int, int], keep: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    import subprocess

    with interrupts.shielded():  # what has begun to exist is known to us
        child = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=env,
            stdin=files[0],
            stdout=files[1],
            stderr=files[2],
            start_new_session=True,
            pass_fds=tuple(keep),
        )
        _started.add(child.pid)
        return child


def marks(mark: str) -> str:
    """What a child with this mark carries; marks that we carry ourselves stay, so ending one of them ends it too."""
    outer = os.environ.get(MARK, "")
    return f"{outer}/{mark}" if outer else mark


def _environment(env: Mapping[str, str], mark: str) -> dict[str, str]:
    return {**os.environ, **env, MARK: marks(mark)}


def pids_with_mark(mark: str) -> tuple[int, ...]:
    """Processes started under this mark, their descendants, and what these started: never ourselves."""
    found = {pid for pid, value in platform.environments(MARK + "=") if mark in value.split("/")}
    if not found:
        return ()
    return tuple(sorted((found | _below(found)) - {os.getpid()}))


def marked(mark: str) -> tuple[str, ...]:
    """The command lines of what runs under this mark."""
    return tuple(name for name in map(_name, pids_with_mark(mark)) if name)


def running_in(folder: Path, program: str) -> tuple[str, ...]:
    """The command lines of living processes of this program that work in a folder, or may: where the system does not
    tell, each counts."""
    top = os.path.realpath(folder)
    found = []
    for pid, line in platform.listing(program):
        where = platform.working_folder(pid) or (top if identity(pid) else "")  # one that has ended is nowhere
        if where == top or where.startswith(top + os.sep) or str(folder) in line:
            found.append(_clean(line))
    return tuple(found)


def descendants(pid: int) -> tuple[int, ...]:
    """All children of a process, and theirs."""
    return tuple(sorted(_below({pid})))


def _below(roots: set[int], parents: Mapping[int, int] | None = None) -> set[int]:
    parents = platform.parents() if parents is None else parents
    found: set[int] = set()
    while True:
        more = {pid for pid, parent in parents.items() if parent in roots | found} - found
        if not more:
            return found
        found |= more


def interrupt_marked(mark: str) -> None:
    """SIGINT to everything with this mark."""
    for pid in pids_with_mark(mark):
        _send(pid, identity(pid), signal.SIGINT)


def terminate(pid: int, known: str, sig: int = signal.SIGTERM) -> None:
    """Signal one process, provided it is still the one with this identity."""
    _send(pid, known, sig)


def end_marked(mark: str, grace: float) -> tuple[str, ...]:
    """SIGTERM to everything with this mark, SIGKILL after `grace` seconds; what could not be ended."""
    return _end(lambda: pids_with_mark(mark), grace)


def _end(find: Callable[[], tuple[int, ...]], grace: float) -> tuple[str, ...]:
    """The same to all that `find` finds, again and again until it finds nothing."""
    deadline = time.monotonic() + grace
    asked: set[tuple[int, str | None]] = set()
    rounds = 0
    while True:
        now = time.monotonic()
        alive_ = {(pid, identity(pid)) for pid in find()}
        alive_ = {pair for pair in alive_ if pair[1] is not None}
        if not alive_:
            return ()
        if now > deadline + _LAST and rounds > _KILLS:
            return tuple(_clean(platform.command_line(pid)) for pid, _ in sorted(alive_, key=lambda p: p[0]))
        # The older first: who waits for a child is to know why it ends.
        for pair in sorted(alive_ if now >= deadline else alive_ - asked, key=lambda found: found[0]):
            _send(pair[0], pair[1], signal.SIGKILL if now >= deadline else signal.SIGTERM)
        asked |= alive_
        rounds += now >= deadline
        time.sleep(_TICK)


def identity(pid: int) -> str | None:
    """Start time and boot id of a process, None when it does not run; a reused pid has another one."""
    started = platform.start_time(pid)
    return None if started is None else f"{started}@{platform.boot_id()}"


def ancestors() -> Iterator[int]:
    """The processes above this one, nearest first, as far as that can be told."""
    parents = platform.parents()
    pid, seen = os.getppid(), set[int]()
    while pid > 1 and pid not in seen:
        seen.add(pid)
        yield pid
        pid = parents.get(pid, 0)


def ancestor_program(name: str) -> str:
    """The executable of this name among our ancestors, "" where there is none or that cannot be told."""
    found = (platform.executable(pid) for pid in ancestors())
    return next((path for path in found if os.path.basename(path) == name and os.access(path, os.X_OK)), "")


def below(word: str) -> bool:
    """Whether an ancestor's command line has this word."""
    return any(word in platform.command_line(pid).split() for pid in ancestors())


def started_at(pid: int) -> float | None:
    """When a process was started, in seconds since the epoch and about a second exact; None when it does not run."""
    return platform.started_at(pid)


def alive(pid: int, known: str) -> bool:
    """True while the process that had this identity runs."""
    return identity(pid) == known


def signal_group(pgid: int, sig: int) -> None:
    """Signal a process group; quiet when it is gone."""
    try:
        os.killpg(pgid, sig)
    except ProcessLookupError:
        pass
    except PermissionError:  # macOS says so for a group of zombies
        pass


def _send(pid: int, known: str | None, sig: int) -> None:
    """Signal a process only if it is still the one with this identity."""
    if known is None or identity(pid) != known:
        return
    try:
        os.kill(pid, sig)
    except (ProcessLookupError, PermissionError):
        pass


def _name(pid: int) -> str:
    """The command line of a process that runs, "" for a zombie or none."""
    return _clean(platform.command_line(pid)) if identity(pid) else ""


def _clean(text: str) -> str:
    """A command line fit for a log: printable, at most 200 characters."""
    return "".join(c if c.isprintable() else " " for c in text)[:200]
