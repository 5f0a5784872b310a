"""The controller's state as `autoresearch-runtime.json` holds it, and what is true of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..kernel.core.frozen import dataclass, field, names
from ..kernel.core.pace import TOKENS
from ..kernel.core.rulings import Ruling

IDLE, RUNNING, STOPPED, TERMINAL, HUMAN = "idle", "running", "stopped", "terminal", "needs_human"
_SPENT = ("minutes", "tokens", "sessions", *TOKENS)
STATUSES = (RUNNING, STOPPED, TERMINAL, HUMAN)


@dataclass(frozen=True)
class SessionProcess:
    """One `codex exec`: process and identity, the mark of all it starts, and what is known of it so far."""

    number: int
    pid: int = 0
    identity: str = ""
    mark: str = ""
    started_at: str = ""
    thread_id: str = ""
    command: str = ""  # the command that runs right now


@dataclass(frozen=True)
class Runtime:
    """As in docs/artifacts.md, Runtime record. Times are UTC texts, `spent` has the names of `_SPENT`."""

    status: str = RUNNING
    pid: int = 0
    pgid: int = 0
    identity: str = ""
    command: tuple[str, ...] = ()
    terminal_reason: str = ""
    terminal_detail: str = ""
    requested_stop_at: str = ""
    last_decision: str = ""
    last_reason: str = ""
    last_seen_iteration: int | None = None
    last_seen_status: str = ""
    last_error: str = ""
    last_health_check: Mapping[str, Any] = field(default_factory=dict)
    last_commit_gate: Mapping[str, Any] = field(default_factory=dict)
    launch_context: Mapping[str, Any] = field(default_factory=dict)
    run_tag: str = ""
    minutes: float = 0.0
    tokens: int = 0
    sessions: int = 0
    input: int = 0  # tokens by kind; `cached` is a part of `input`
    cached: int = 0
    output: int = 0
    session: SessionProcess | None = None
    waiting_until: str = ""
    waiting_for: str = ""
    created_at: str = ""
    updated_at: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The object to write; empty texts become null."""
        out = {name: getattr(self, name) for name in names(Runtime) if name not in _SPENT}
        out = {name: None if value == "" else value for name, value in out.items()}
        out["terminal_reason"] = self.terminal_reason or "none"
        out["session"] = dict(vars(self.session)) if self.session else None
        spent = {name: getattr(self, name) for name in _SPENT}
        return {**out, "command": list(self.command), "spent": {**spent, "minutes": round(self.minutes, 3)}}


def from_dict(data: Mapping[str, Any]) -> Runtime:
    """Read the object; raises `ValueError` saying what is wrong with it."""
    if data.get("version") != 1:
        raise ValueError(f"version {str(data.get('version'))[:20]!r}, expected 1")
    if data.get("status") not in STATUSES:
        raise ValueError(f"status {str(data.get('status'))[:20]!r}, expected one of {', '.join(STATUSES)}")
    try:
        values = {name: data[name] for name in names(Runtime) if data.get(name) is not None}
        values["terminal_reason"] = str(values.get("terminal_reason", "")).replace("none", "")
        spent = data.get("spent") or {}
        values["command"] = tuple(values.get("command", ()))
        values.update({name: int(spent.get(name, 0)) for name in _SPENT if name != "minutes"})
        values.update(minutes=float(spent.get("minutes", 0)), pid=int(values.get("pid", 0)))
        if values.get("session"):
            known = {name: values["session"][name] for name in names(SessionProcess) if name in values["session"]}
            values["session"] = SessionProcess(**known)
        return Runtime(**values)
    except (TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise ValueError(f"unusable values ({error})") from None


def truth(recorded: Runtime | None, locked: bool, session_alive: bool) -> Ruling:
    """What is true, given the record, whether the controller's lock is held, and whether its session still runs.

    The record alone proves nothing: a killed controller leaves `running` behind, and so does a reboot.
    """
    if recorded is None:
        return Ruling(RUNNING, "runtime_active", "a launch is under way") if locked else Ruling(IDLE, "none")
    if locked:
        what = "a stop is under way" if recorded.requested_stop_at else recorded.waiting_for
        return Ruling(RUNNING, "runtime_active", what)
    if session_alive and recorded.terminal_reason == "stop_failed":
        return Ruling(HUMAN, "stop_failed", recorded.terminal_detail)
    if session_alive:
        detail = "the controller is gone, but its session still runs; runtime_ctl stop ends it, start takes over"
        return Ruling(HUMAN, "controller_lost", detail)
    if recorded.status == RUNNING:
        return Ruling(STOPPED, "controller_lost", "the controller ended without a word; runtime_ctl start goes on")
    return Ruling(recorded.status, recorded.terminal_reason or "none", recorded.terminal_detail)
