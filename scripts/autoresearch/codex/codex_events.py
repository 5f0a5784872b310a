"""The event stream of `codex exec --json`, read line by line and folded into what a session did.

Written against codex-cli 0.171.0. All texts are bounded and on one line: they come from a run and are data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..background.agent import SessionOutput, Usage
from ..background.stream import LINE_LIMIT
from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.jsontext import loads
from ..kernel.core.text import one_line

TEXT_LIMIT = 500  # characters of a command, a message or an error that are kept
NOTICES_KEPT = 5
RUNNING_KEPT = 20

# Enough of a line that was cut, or is too long to be read whole, to tell which item it was about.
_ITEM_HEAD = re.compile(r'\{"type":"(item\.[a-z]+)","item":\{"id":"(\w{1,80})","type":"(\w{1,80})"')


@dataclass(frozen=True)
class Event:
    """One line of the stream. `text` is a message, a command or an error; fields a type lacks are empty."""

    type: str
    thread_id: str = ""
    item_id: str = ""
    item_type: str = ""
    text: str = ""
    usage: Usage | None = None


def parse_line(line: bytes | str) -> Event | None:
    """Return the event of a line, or None when it holds none. A line that was cut still names its item."""
    if len(line) <= LINE_LIMIT:
        try:
            return _event(loads(_decoded(line)))
        except ValueError:
            pass
    head = _ITEM_HEAD.match(_decoded(line[:400]))
    return Event(head[1], item_id=head[2], item_type=head[3]) if head else None


def _decoded(line: bytes | str) -> str:
    return line if isinstance(line, str) else line.decode("utf-8", "replace")


def _event(value: Any) -> Event | None:
    if not isinstance(value, Mapping) or not isinstance(value.get("type"), str):
        return None
    item = _mapping(value, "item")
    texts = (
        item.get("text"),
        item.get("command"),
        item.get("message"),
        value.get("message"),
        _mapping(value, "error").get("message"),
    )
    return Event(
        type=one_line(value["type"], 80),
        thread_id=_line(value.get("thread_id"), 80),
        item_id=_line(item.get("id"), 80),
        item_type=_line(item.get("type"), 80),
        text=next((_line(text) for text in texts if text), ""),
        usage=_usage(_mapping(value, "usage")) if "usage" in value else None,
    )


def _mapping(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}


def _line(value: object, limit: int = TEXT_LIMIT) -> str:
    return one_line(value, limit) if isinstance(value, str) else ""


def _usage(value: Mapping[str, Any]) -> Usage:
    names = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")
    return Usage(*(_count(value.get(name)) for name in names))


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def fold(seen: SessionOutput, event: Event) -> SessionOutput:
    """Return the session after one more event; types that are not known change nothing."""
    if event.type == "thread.started":
        return replace(seen, thread_id=event.thread_id)
    if event.type in ("turn.started", "turn.completed", "turn.failed"):
        return _turn(seen, event)
    if event.type == "error":
        return _error(seen, event.text)
    if event.item_type == "command_execution":
        return replace(seen, running=_running(seen.running, event))
    if event.type != "item.completed":
        return seen
    if event.item_type == "error":
        return _notice(seen, event.text)
    if event.item_type == "agent_message":
        return replace(seen, last_message=event.text)
    return seen


def _turn(seen: SessionOutput, event: Event) -> SessionOutput:
    failed = event.type == "turn.failed"
    return replace(
        seen,
        completed=event.type == "turn.completed",
        failure=(event.text or "the turn failed without a message") if failed else "",
        usage=event.usage or seen.usage,
        running=(),  # the CLI ends what still runs, without an event
    )


def _error(seen: SessionOutput, text: str) -> SessionOutput:
    if text.startswith("Reconnecting"):
        return _notice(seen, text)
    return replace(seen, last_error=text)


def _notice(seen: SessionOutput, text: str) -> SessionOutput:
    kept = (*seen.notices, text)[-NOTICES_KEPT:]
    return replace(seen, notices=kept, notice_count=seen.notice_count + 1)


def _running(running: tuple[tuple[str, str], ...], event: Event) -> tuple[tuple[str, str], ...]:
    others = tuple(entry for entry in running if entry[0] != event.item_id)
    if event.type == "item.completed":
        return others
    return (*others, (event.item_id, event.text))[-RUNNING_KEPT:]


def after_line(seen: SessionOutput, line: bytes | str) -> SessionOutput:
    """Return what is known after one more line of the stream."""
    event = parse_line(line)
    return fold(seen, event) if event else seen
