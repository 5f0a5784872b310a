"""The record that Codex keeps of a session while it runs (its "rollout"). Read against 0.150.1 to 0.171.0.

It tells what the event stream does not: the kind of an error, when a plan's limit is reset, what helpers used.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..background import stream
from ..background.agent import Usage
from ..kernel.core import jsontext
from ..kernel.core.frozen import dataclass
from ..kernel.core.text import one_line
from . import codex_home

_TAIL = 256 * 1024  # bytes of a record in which its newest facts are looked for
_HEAD = 256 * 1024  # bytes of its first line, which says whose it is
_KINDS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")


@dataclass(frozen=True)
class Record:
    """What a session's record says last: the thread's tokens, those of its newest request (its context), the kind of
    the error that ended the turn ("" for none), its HTTP status (0), and of a plan's limit which kind was reached and
    when it is reset (epoch)."""

    usage: Usage | None = None
    context: int = 0
    error: str = ""
    status: int = 0
    reached: str = ""
    resets_at: float | None = None


def read(thread_id: str, started: float) -> Record:
    """The record of a session that was started or gone on with at `started`; an empty one where there is none.

    A session that failed or was ended reports no usage on its event stream; the record has it after each request.
    """
    path = next(_files(f"-{thread_id}", started), None) if thread_id else None
    return _folded(stream.tail(path, _TAIL), started) if path else Record()


def with_helpers(thread_id: str) -> Usage:
    """The tokens of all sub-agents that a thread ever started: each keeps a record of its own, which names the thread.

    Like the thread's own tokens they are sums from its beginning on, in whichever session they were used.
    """
    total, mark = Usage(), f'"session_id":"{thread_id}"'.encode()
    own = next(_files(f"-{thread_id}", time.time()), None) if thread_id else None
    for path in _since(own) if own else ():
        if mark in _first_line(path):
            found = _folded(stream.tail(path, _TAIL), time.time()).usage
            total = total.plus(found) if found else total
    return total


def _since(own: Path) -> Iterator[Path]:
    """The records that were begun after this one; folders and names tell when."""
    begun = len("rollout-2026-11-30T10-23-09")
    for folder in own.parents[3].glob("*/*/*"):
        if folder >= own.parent:
            yield from (
                path for path in folder.glob("rollout-*.jsonl") if path.name[:begun] >= own.name[:begun] and path != own
            )


def newest_turn(thread_id: str) -> Mapping[str, Any]:
    """What the record says of the newest turn (folder, sandbox, permissions), {} where it is not there."""
    found: Mapping[str, Any] = {}
    path = next(_files(f"-{thread_id}", time.time()), None) if _is_id(thread_id) else None
    if path is None:
        return found
    with open(path, "rb") as file:
        for line in file:
            if b'"turn_context"' in line[:200]:
                found = _payload(line) or found
    return found


def _is_id(text: str) -> bool:
    return bool(text) and text.replace("-", "").isalnum()


def _files(ending: str, started: float) -> Iterator[Path]:
    """Records by local date of the start, which may be off by the time zone; a resumed thread's lies further back."""
    root = codex_home.home() / "sessions"
    for days in (0, -1, 1):
        date = time.strftime("%Y/%m/%d", time.localtime(started + days * 86400))
        yield from (root / date).glob(f"rollout-*{ending}.jsonl")
    if ending:
        yield from root.glob(f"*/*/*/rollout-*{ending}.jsonl")


def _first_line(path: Path) -> bytes:
    """The beginning of a record, without blanks, b"" where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.readline(_HEAD).replace(b" ", b"")
    except OSError:
        return b""


def _folded(data: bytes, started: float) -> Record:
    found: dict[str, Any] = {}
    for line in data.split(b"\n"):
        kind = next((kind for kind in _READERS if kind.encode() in line), "")
        payload = _payload(line) if kind else {}
        if payload.get("type") == kind:
            found.update(_READERS[kind](payload, started))
    return Record(**found)


def _payload(line: bytes) -> Mapping[str, Any]:
    return _object(jsontext.mapping(line.decode("utf-8", "replace")).get("payload"))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _tokens(payload: Mapping[str, Any], started: float) -> dict[str, Any]:
    info, limits = _object(payload.get("info")), _object(payload.get("rate_limits"))
    found: dict[str, Any] = {}
    try:
        total, last = info["total_token_usage"], info["last_token_usage"]
        found["usage"] = Usage(*(int(total[name]) for name in _KINDS))
        found["context"] = int(last["input_tokens"]) + int(last["output_tokens"])
    except (KeyError, TypeError, ValueError):
        pass
    windows = [_object(limits.get(name)) for name in ("primary", "secondary")]
    full = [_number(window.get("resets_at")) for window in windows if _number(window.get("used_percent")) >= 100]
    reached = limits.get("rate_limit_reached_type")
    return {**found, "resets_at": max(full, default=None), "reached": one_line(str(reached or ""), 80)}


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def _complete(payload: Mapping[str, Any], started: float) -> dict[str, Any]:
    """How a turn ended; one from before `started` is another session's of the same thread."""
    info = _object(payload.get("error")).get("codex_error_info")
    if _number(payload.get("completed_at")) < int(started):
        info = None
    if isinstance(info, dict) and info:
        kind, more = next(iter(info.items()))
        return {"error": one_line(str(kind), 80), "status": int(_number(_object(more).get("http_status_code")))}
    return {"error": one_line(str(info or ""), 80), "status": 0}


_READERS = {"token_count": _tokens, "task_complete": _complete}
