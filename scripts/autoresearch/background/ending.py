"""The end of a managed run: its summary lesson, and the user's notify command."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from ..kernel.core import numbers
from ..kernel.core.errors import Refusal
from ..kernel.core.text import one_line
from ..kernel.disk import evidence
from ..kernel.disk.layout import Layout
from ..kernel.run import context
from ..kernel.run.context import Run
from ..kernel.system import process
from ..notes import lessons_file
from ..notes.lessons import Lesson

RECENT = 5  # iterations in which a lesson makes the summary needless; docs/artifacts.md, Lessons and ideas
NOTIFY_LIMIT = 30.0  # seconds


def summarise(layout: Layout) -> bool:
    """Write the summary lesson unless a recent one, or nothing to sum up; a failure harms nothing."""
    try:
        run = context.load(layout)
        if run.mode == "exec" or not run.state.iteration or _has_recent(run):
            return False
        lessons_file.append(layout.lessons, _summary(run))
        return True
    except Refusal:
        return False


def _has_recent(run: Run) -> bool:
    """Whether this run, not an earlier one with its tag, was summed up in its last iterations."""
    begun = _begun(run)
    entries = lessons_file.read(run.layout.lessons)
    mine = [entry.iteration for entry in entries if entry.outcome == "summary" and entry.timestamp > begun]
    numbered = (where.rpartition("#") for where in mine)
    numbers_of = [int(number) for tag, _, number in numbered if tag == run.tag and number.isdigit()]
    return any(number > run.state.iteration - RECENT for number in numbers_of)


def _begun(run: Run) -> str:
    """When the run began: as its log tells, else (another tool's log) when it was launched; "" where nobody knows."""
    starts = (str(event.get("at", "")) for event in run.log.of_kind("start"))
    launched = (evidence.read_json(run.layout.launch) or {}).get("created_at")
    return next(starts, "") or str(launched or "")


def _summary(run: Run) -> Lesson:
    state = run.state
    figures = f"{numbers.plain(state.baseline_metric)} to {numbers.plain(state.best_metric)}"
    counts = f"{state.keeps} keeps, {state.discards} discards, {state.crashes} crashes in {state.iteration} iterations"
    last = [row for row in run.log.rows if row.is_main and row.status == "keep"]
    best = next((row.description for row in last if row.iteration == state.best_iteration), "none was kept")
    return Lesson(
        number=0,
        title=one_line(f"summary of {run.tag}: {run.config.metric or 'metric'} {figures}", 100),
        strategy=one_line(f"best so far: {best}", 300),
        outcome="summary",
        insight=counts,
        context=one_line(f"{run.config.goal or run.config.metric}; scope {run.config.scope or '.'}", 200),
        iteration=f"{run.tag}#{state.iteration}",
        timestamp=context.now(),
    )


def notify(command: str, layout: Layout, told: dict[str, Any], log: Path) -> str:
    """Hand the ending to the user's command as JSON on stdin; "" when it took it, else what went wrong."""
    if not command:
        return ""
    message = layout.evidence / "ending.json"
    mark = f"notify-{os.getpid()}-{time.time_ns()}"
    try:
        evidence.write_json(message, told)
        streams = process.Streams(message, log, log)
        child = process.start_detached(("/bin/sh", "-c", command), layout.root, {}, streams, mark)
    except (OSError, Refusal) as error:
        return str(error)
    deadline = time.monotonic() + NOTIFY_LIMIT
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    code = child.poll()
    process.end_marked(mark, 1.0)
    child.poll()
    return "" if code == 0 else f"exit code {code}" if code is not None else f"ended after {NOTIFY_LIMIT:g} seconds"
