"""Side lines of a run: where each began, what it kept, what became of it; as rows of a table and in the drawing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ..kernel.core.frozen import dataclass
from ..kernel.core.rows import LINE, Row
from ..kernel.core.text import one_line
from . import loose

TITLE = "Side lines"
HEAD = ("line", "from", "iterations", "kept", "what became of it")


@dataclass(frozen=True)
class SideLine:
    """One line: its letter, the iteration whose state it grew from, its first and last row, the metric there, what it
    kept, and how it ended."""

    name: str
    start: int
    first: int
    last: int
    value: Decimal
    kept: int
    fate: str


def read(rows: Sequence[Row], events: Iterable[Mapping[str, Any]]) -> Iterator[SideLine]:
    """The lines that the log tells of, in their order; what is wrongly typed is left out."""
    mains = {row.iteration: row for row in rows if row.is_main}
    steps = [event for event in events if event.get("kind") == "line" and event.get("iteration") in mains]
    for begun, after in zip(steps, [*steps[1:], None]):
        name, _, start = loose.text(begun, "line", 20).partition(" from ")
        if not name or not start.isdigit():
            continue
        first = int(begun["iteration"])
        ends = (event["iteration"] for event in steps if event["iteration"] > first and event.get("line") == "")
        last = next(ends, max(mains))
        value = mains[first].metric
        within = [row for number, row in mains.items() if first < number <= (after or {"iteration": last})["iteration"]]
        kept = sum(row.status == "keep" and not row.is_own for row in within)
        if value is not None:
            yield SideLine(name, int(start), first, last, value, kept, _fate(mains[last], first))


def _fate(row: Row, first: int) -> str:
    """What the last row of a line says, "open" while it grows."""
    ended = row.status == "drift" and row.description.startswith(LINE) and row.iteration != first
    return one_line(row.description.partition("] ")[2], 120) if ended else "open"


def table(lines: Iterable[SideLine]) -> Iterator[tuple[str, ...]]:
    """The cells of each line, in the order of `HEAD`, as plain text."""
    for line in lines:
        yield line.name, str(line.start), f"{line.first} to {line.last}", str(line.kept), line.fate
