"""Whose a temporary file is: its name carries the process that made it, and that process's table of processes.

A number says nothing of a process in another table (a container, a sandbox): what such a one made is left for a day.
"""

from __future__ import annotations

import os
import time
from pathlib import Path


def mine() -> str:
    """This process as a part of a name, without a dash or a dot."""
    return f"{os.getpid()}n{_table()}"


def gone(owner: str, path: Path) -> bool:
    """Whether the process that made this path is gone; False where that cannot be told."""
    pid, _, table = owner.partition("n")
    try:
        if table and int(table) != _table():
            return time.time() - path.lstat().st_mtime > 86_400  # a day
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except (ValueError, OSError):
        return False
    return False


def _table() -> int:
    """The number of this process's PID namespace (pid_namespaces(7)), 0 where there are none."""
    try:
        return os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return 0
