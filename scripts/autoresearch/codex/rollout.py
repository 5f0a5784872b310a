"""The record that Codex keeps of a session while it runs (its "rollout"). Read against 0.169.0 to 0.171.0."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..background import stream
from ..background.agent import Usage
from ..kernel.core import jsontext
from . import codex_home

_TAIL = 256 * 1024  # bytes of a record in which its last sum of tokens is looked for


def tokens(thread_id: str, started: float) -> Usage | None:
    """The sum of tokens that a session's record tells, None without one.

    A session that failed or was ended reports no usage on its event stream; the record has it after each request.
    """
    path = next(_files(thread_id, started), None) if thread_id else None
    lines = stream.tail(path, _TAIL).split(b"\n") if path else []
    for line in reversed(lines):
        if b'"token_count"' in line:
            found = _sum(line)
            if found:
                return found
    return None


def _files(thread_id: str, started: float) -> Iterator[Path]:
    """The session's file; they lie in folders by local date of the start, which may be off by the time zone."""
    for days in (0, -1, 1):
        date = time.strftime("%Y/%m/%d", time.localtime(started + days * 86400))
        yield from (codex_home.home() / "sessions" / date).glob(f"rollout-*-{thread_id}.jsonl")


def _sum(line: bytes) -> Usage | None:
    try:
        value: Any = jsontext.loads(line.decode("utf-8", "replace"))
        total = value["payload"]["info"]["total_token_usage"]
        names = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")
        return Usage(*(int(total[name]) for name in names))
    except (ValueError, KeyError, TypeError):
        return None
