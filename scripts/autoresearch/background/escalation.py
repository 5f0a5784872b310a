"""Stronger models: after a pivot sessions use the next entry of the user's list. One way; each step is an event."""

from __future__ import annotations

import re

from ..kernel.core import log_events
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from ..kernel.disk.journal import Log
from ..kernel.disk.layout import Layout
from ..kernel.run import context

_ENTRY = re.compile(r"([\w./-]{1,80})(?::([a-z]{1,20}))?")


@dataclass(frozen=True)
class Model:
    """A model by name and its reasoning effort, "" for what the agent's own configuration says."""

    name: str = ""
    effort: str = ""

    def __str__(self) -> str:
        return f"{self.name}:{self.effort}" if self.effort else self.name


def parse(text: str) -> tuple[Model, ...]:
    """The entries of `gpt-x:high, gpt-y:xhigh`; raises `Refusal` for anything else."""
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    found = [_ENTRY.fullmatch(part) for part in parts]
    if not all(found):
        raise Refusal(
            f"escalate is {text[:60]!r}, expected models with their effort, such as 'gpt-x:high, gpt-y:xhigh'"
        )
    return tuple(Model(entry[1], entry[2] or "") for entry in found if entry)


def current(text: str, log: Log | None) -> Model:
    """The model that the log says is in force; an empty one before the first step."""
    entries, level = parse(text), _level(log) if log else 0
    return entries[min(level, len(entries)) - 1] if entries and level else Model()


def is_due(text: str, log: Log) -> bool:
    """Whether a pivot came since the last step, and an entry is left."""
    steps = log.of_kind("escalated")
    since = max((event["iteration"] for event in steps if isinstance(event.get("iteration"), int)), default=0)
    pivoted = any(row.is_main and row.status == "pivot" and row.iteration > since for row in log.rows)
    return pivoted and _level(log) < len(parse(text))


def climb(layout: Layout, text: str) -> Model | None:
    """Take the step that is due, and record it; None where none is."""
    if not text or not layout.results.exists() or not is_due(text, context.load(layout).log):
        return None
    with context.writing(layout) as (run, held):
        to = parse(text)[_level(run.log)]
        event = log_events.make(
            "escalated", at=context.now(), iteration=run.state.iteration, model=to.name, effort=to.effort
        )
        context.append(run, held, [event], [])
    return to


def _level(log: Log) -> int:
    return len(log.of_kind("escalated"))
