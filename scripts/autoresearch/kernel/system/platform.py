"""The few things that differ between Linux and macOS: boot id and the process listing."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from functools import lru_cache

_LOOKS = 3  # at a process whose environment reads as empty
_MOMENT = 0.001  # seconds between them
_KERNEL_THREAD = 0x00200000  # PF_KTHREAD of the kernel's process flags
LINUX = sys.platform.startswith("linux")
PEAK_UNIT = 1024 if LINUX else 1  # bytes in a unit of `ru_maxrss`


@lru_cache(maxsize=1)
def boot_id() -> str:
    """A text that changes with every boot of the machine, "" when unknown."""
    if LINUX:
        return _slurp("/proc/sys/kernel/random/boot_id").decode("ascii", "replace").strip()
    return _run(["sysctl", "-n", "kern.bootsessionuuid"]).strip()


def start_time(pid: int) -> str | None:
    """When the process started, in the system's own terms; None when there is none or it is a zombie."""
    if LINUX:
        fields = _stat(pid)
        return None if not fields or fields[0] in ("Z", "X") else fields[19]
    text = _run(["ps", "-o", "stat=,lstart=", "-p", str(pid)]).strip()
    return None if not text or text.startswith("Z") else text.partition(" ")[2].strip()


def started_at(pid: int) -> float | None:
    """When the process started, in seconds since the epoch; None when there is none or it is a zombie."""
    if LINUX:
        ticks = start_time(pid)
        boot = next((line for line in _slurp("/proc/stat").split(b"\n") if line.startswith(b"btime ")), b"btime 0")
        return None if ticks is None else int(boot.split()[1]) + int(ticks) / os.sysconf("SC_CLK_TCK")
    text = _run(["ps", "-o", "stat=,etime=", "-p", str(pid)]).split()  # [[days-]hours:]minutes:seconds
    if len(text) < 2 or text[0].startswith("Z"):
        return None
    days, _, clock = text[1].rpartition("-")
    parts = [int(part) for part in clock.split(":")]
    seconds = sum(part * scale for part, scale in zip(reversed(parts), (1, 60, 3600)))
    return time.time() - int(days or 0) * 86400 - seconds


def own_peak() -> int:
    """Bytes of our own peak memory where a child's `ru_maxrss` begins with it (Linux), else 0."""
    if not LINUX:
        return 0
    found = (line.split() for line in _slurp("/proc/self/status").split(b"\n") if line.startswith(b"VmHWM:"))
    return 1024 * int(next(found, [b"", b"0"])[1])


def parents() -> dict[int, int]:
    """Parent of every process, by process id."""
    if LINUX:
        stats = ((pid, _stat(pid)) for pid in _pids())
        return {pid: int(fields[1]) for pid, fields in stats if fields}
    rows = (line.split() for line in _run(["ps", "-axo", "pid=,ppid="]).splitlines())
    return {int(pid): int(parent) for pid, parent in rows}


def environments(needle: str) -> tuple[tuple[int, str], ...]:
    """(pid, value) of our processes whose environment sets the variable `needle` (NAME=)."""
    if LINUX:
        key = os.fsencode(needle)
        return tuple(
            (pid, os.fsdecode(item[len(key) :]))
            for pid, env in _environments().items()
            for item in env.split(b"\0")
            if item.startswith(key)
        )
    rows = (line.split(None, 1) for line in _run(["ps", "-axEww", "-o", "pid=,command="]).splitlines())
    return tuple(
        (int(pid), word[len(needle) :])
        for pid, *rest in rows
        for word in " ".join(rest).split()
        if word.startswith(needle)
    )


def executable(pid: int) -> str:
    """The path of the program that a process runs, "" when that cannot be told (as on macOS, without a full path)."""
    if LINUX:
        try:
            return os.readlink(f"/proc/{pid}/exe")
        except OSError:
            return ""
    found = _run(["ps", "-o", "comm=", "-p", str(pid)]).strip()
    return found if os.path.isabs(found) else ""


def adopt_orphans() -> bool:
    """From now on a process whose parent is gone becomes our child, so that it is found whatever it did to its
    environment and session (`prctl(PR_SET_CHILD_SUBREAPER)`). False where the system has no such thing."""
    if not LINUX:
        return False
    import ctypes

    try:
        return bool(ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


def listing(program: str) -> tuple[tuple[int, str], ...]:
    """(pid, command line) of every process of a program that lives, by its first word."""
    if LINUX:
        lines = [(pid, command_line(pid)) for pid in _pids()]
    else:
        split = (row.split(None, 1) for row in _run(["ps", "-axww", "-o", "pid=,command="]).splitlines())
        lines = [(int(pid), rest[0]) for pid, *rest in split if rest]
    return tuple((pid, line) for pid, line in lines if os.path.basename(line.partition(" ")[0]) == program)


def working_folder(pid: int) -> str | None:
    """The current folder of a process, None where the system does not tell."""
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return None


def command_line(pid: int) -> str:
    """The command line of a process, "" when it is gone."""
    if LINUX:
        return os.fsdecode(_slurp(f"/proc/{pid}/cmdline").replace(b"\0", b" ")).strip()
    return _run(["ps", "-o", "command=", "-p", str(pid)]).strip()


def _environments() -> dict[int, bytes]:
    """The environment of every process we may look at.

    Listed again until nothing new turns up: a process that forked after the listing and ended before
    it was read would otherwise hide its child. In the middle of an exec the environment reads as
    empty, so what runs with an empty one is looked at again, a moment later.
    """
    found: dict[int, bytes] = {}
    looks: dict[int, int] = {}
    while True:
        todo = [pid for pid in _pids() if pid not in found and looks.get(pid, 0) < _LOOKS]
        if not todo:
            return found
        if any(pid in looks for pid in todo):
            time.sleep(_MOMENT)
        for pid in todo:
            env = _slurp(f"/proc/{pid}/environ")
            looks[pid] = looks.get(pid, 0) + 1 if not env and _may_exec(pid) else _LOOKS
            if env:
                found[pid] = env


def _may_exec(pid: int) -> bool:
    """True for a running process of ours that is not a thread of the kernel."""
    fields = _stat(pid)
    if not fields or fields[0] in ("Z", "X") or int(fields[6]) & _KERNEL_THREAD:
        return False
    return _owner(pid) == os.geteuid()


def _owner(pid: int) -> int:
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return -1


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command's name, from the state on."""
    return _slurp(f"/proc/{pid}/stat").rpartition(b")")[2].decode("ascii", "replace").split()


def _slurp(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:  # gone, or another user's
        return b""


def _run(argv: Sequence[str]) -> str:
    import subprocess

    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=10)
    return done.stdout.decode("utf-8", "replace")
