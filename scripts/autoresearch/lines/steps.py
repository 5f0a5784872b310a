"""What a side line needs next, told by the log alone: so a kill between two steps loses nothing."""

from __future__ import annotations

from collections.abc import Iterator

from ..guidance import ladder
from ..kernel.core import numbers, supervise
from ..kernel.core.choices import HAND_OVER_AT
from ..kernel.core.frozen import dataclass
from ..kernel.core.rows import Row
from ..kernel.run import budget
from ..kernel.run.context import Run
from ..search import retry
from ..search.candidates import Choice

LENGTH = 10  # trials of one line
SINGLE = 2  # patches of a line that are tried alone on the main one, after all of them together
OPEN, SETTLE, AGAIN, CLOSE = "open", "settle", "again", "close"
WHY = {
    OPEN: "three pivots without a keep: a side line grows from an earlier kept state",
    SETTLE: "the side line has grown: its tip is compared with the main line",
    AGAIN: "what the side line kept is tried on the main line",
    CLOSE: "the side line ends",
}


@dataclass(frozen=True)
class Line:
    """The side line that is open: its name, the row that began it, where the main line stands, the row that went back
    to the main content (0 while it grows)."""

    name: str
    begun: int
    main: str
    back: int = 0


def line_of(run: Run) -> Line:
    """The open line; there is one while `state.line` is set."""
    events = run.log.of_kind("line")
    first = [event for event in events if event.get("line")][-1]
    back = next((event["iteration"] for event in events if event.get("line") is None and event["of"] == first["of"]), 0)
    return Line(str(first["line"]), int(first["iteration"]), str(first["main"]), int(back))


def due(run: Run) -> str:
    """The step that the tool takes now: one of the names above, or ""."""
    if not run.config.side_lines or not run.config.measured:
        return ""
    goes_on = supervise.judge(run.config, run.mode, run.state, budget.spent(run)).decision == supervise.RELAUNCH
    if not run.state.line:
        return OPEN if goes_on and run.state.pivot_count >= HAND_OVER_AT else ""
    line = line_of(run)
    if not line.back:
        return SETTLE if not goes_on or _has_grown(run, line) else ""
    return AGAIN if goes_on and attempts(run, line) else CLOSE


def kept(run: Run, line: Line) -> list[Row]:
    """What the line kept."""
    rows = (row for row in run.log.rows if row.is_main and row.status == "keep" and row.iteration > line.begun)
    return [row for row in rows if not line.back or row.iteration < line.back]


def gained(run: Run, line: Line) -> bool:
    """Whether something of the line was kept on the main content."""
    return any(row.status == "keep" and row.iteration > line.back for row in run.log.rows if row.is_main)


def attempts(run: Run, line: Line) -> tuple[int, ...]:
    """What of the line is tried next on the main content: all of it, then the best alone; () when that is done."""
    if gained(run, line):
        return ()
    tried = {tuple(event["own"]) for event in run.log.of_kind("trial") if "own" in event}
    return next((one for one in _wanted(run, line) if one not in tried and retry.fits(run, Choice(one, 0.0))), ())


def _wanted(run: Run, line: Line) -> Iterator[tuple[int, ...]]:
    rows = kept(run, line)
    yield tuple(row.iteration for row in rows)
    best = sorted(rows, key=lambda row: -abs(numbers.parse(row.delta, "delta")))
    yield from ((row.iteration,) for row in (best[:SINGLE] if len(rows) > 1 else ()))


def _has_grown(run: Run, line: Line) -> bool:
    """Whether the line had its trials, or is stalled itself."""
    trials = (row for row in run.log.rows if row.is_main and row.iteration > line.begun and not row.is_own)
    tried = sum(row.status in ("keep", "discard", "crash") for row in trials)
    return tried >= LENGTH or ladder.step(run.log.rows, "disabled").action in ("pivot", supervise.HUMAN)
