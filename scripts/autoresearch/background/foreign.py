"""A controller that another tool started: it holds no lock of ours, so its process is the proof of its life."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from ..kernel.disk import evidence
from ..kernel.disk.layout import Layout
from ..kernel.run import context
from ..kernel.system import platform, process
from . import runtime

_SLACK = 2.0  # seconds: a start is told in whole ticks, a boot in whole seconds
_BEGINNING = 60.0  # seconds between the start of a controller and the first record of it, on a busy machine
_KILLED = 2.0  # seconds until what was killed is gone
_TICK = 0.05


def pid_of(layout: Layout) -> int:
    """The process of such a controller at work here, 0 for none.

    Our own records carry an identity. A process that was started after the file was last written has only taken over
    the number, as after a reboot; so has one that the record of another place or machine cannot mean.
    """
    data = evidence.read_json(layout.runtime) or {}
    told = str(data.get("pid"))  # a number, in some tools as text
    pid = int(told) if told.isdecimal() and told.isascii() else 0
    if data.get("identity") or pid <= 1 or pid == os.getpid():
        return 0
    started = process.started_at(pid)
    if started is None or started > layout.runtime.stat().st_mtime + _SLACK:
        return 0
    return pid if _is_of_here(layout, data) and _may_be(data, pid, started) else 0


def _is_of_here(layout: Layout, data: Mapping[str, Any]) -> bool:
    """Whether the record is of this folder: files are copied with all that lies in them."""
    told = data.get("repo")
    return not (isinstance(told, str) and os.path.isabs(told)) or os.path.realpath(told) == os.path.realpath(
        layout.root
    )


def _may_be(data: Mapping[str, Any], pid: int, started: float) -> bool:
    """Whether the process may be what the record was written for: it has its command, or began as the record did."""
    command = data.get("command")
    if not isinstance(command, list) or not command or not _moment(data.get("created_at")):
        return True
    line = platform.command_line(pid)
    named = all(str(word) in line for word in command[1:] or command)
    return named or abs(started - _moment(data["created_at"])) < _BEGINNING


def _moment(text: Any) -> float:
    """A time as the artifacts write it in seconds since the epoch, 0 for anything else."""
    import calendar

    try:
        return calendar.timegm(time.strptime(str(text), "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return 0


def stop(layout: Layout, grace: float) -> bool:
    """End it with its group within `grace` seconds, and write that down; False when it still lives."""
    pid = pid_of(layout)
    data = evidence.read_json(layout.runtime) or {}
    known, group = process.identity(pid), _group(pid, data.get("pgid"))
    deadline = time.monotonic() + grace
    for number, until in ((signal.SIGTERM, deadline), (signal.SIGKILL, deadline + _KILLED)):
        if group:
            process.signal_group(group, number)
        process.terminate(pid, known or "", number)
        while known and process.alive(pid, known) and time.monotonic() < until:
            time.sleep(_TICK)
    gone = not known or not process.alive(pid, known)
    if gone:
        _note(layout)
    return gone


def _group(pid: int, recorded: Any) -> int:
    """The controller's process group, 0 where it is ours or not the recorded one."""
    try:
        group = os.getpgid(pid)
    except (ProcessLookupError, PermissionError):
        return 0
    return group if str(group) == str(recorded) and group not in (0, 1, os.getpgrp()) else 0


def _note(layout: Layout) -> None:
    """The record says that the user stopped it; what else it holds stays."""
    data = evidence.read_json(layout.runtime) or {}
    ended = {"status": runtime.STOPPED, "terminal_reason": "user_stopped"}
    evidence.write_json(
        layout.runtime, {**data, **ended, "requested_stop_at": context.now(), "updated_at": context.now()}
    )
