"""What the user said while the run went on, for whoever works on it. Asked after every trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..kernel.core.frozen import Any
from ..kernel.core.rows import Row
from ..kernel.core.text import one_line
from ..kernel.disk.journal import Event, Log
from ..kernel.run.context import Run

TEXT_LIMIT = 500
SHOWN = 3  # of the user's words in one answer


def words(log: Log, since: int = 0) -> list[str]:
    """What the user said since an iteration, oldest first."""
    found: Sequence[Event] = log.of_kind("tell")
    return [one_line(str(event.get("text", "")), TEXT_LIMIT) for event in found if _at(event) >= since]


def told(run: Run, row: Row, found: Mapping[str, Any]) -> dict[str, Any]:
    """What the user said since the row before, for the answer's `next`; the port `row`."""
    said = words(run.log, row.iteration - 1)
    return {"user_says": said[-SHOWN:]} if said else {}


def _at(event: Event) -> int:
    at = event.get("iteration")
    return at if isinstance(at, int) else 0
