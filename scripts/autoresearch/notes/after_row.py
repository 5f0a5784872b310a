"""The lesson that follows a keep or a pivot."""

from __future__ import annotations

from ..kernel.core import numbers
from ..kernel.core.rows import Row
from ..kernel.core.text import one_line
from ..kernel.run import context
from ..kernel.run.context import Run


def _credit(run: Run, row: Row) -> None:
    """What a trial says of the lessons that it used: one that led to a keep rises, three failures retire it."""
    if not run.config.measured or row.status not in ("keep", "discard", "crash") or run.mode == "exec":
        return
    used = context.load(run.layout).log.trial_of(row.iteration).get("lessons")
    if used:
        from . import lessons_file

        lessons_file.credit(run.layout.lessons, used, row.status == "keep")


def recorded(run: Run, row: Row, insight: str = "", strategy: str = "") -> None:
    """One lesson after a keep or a pivot, never in exec mode. Raises `Refusal` from the disk.

    `run` is the run before the row; `strategy` replaces the row's description where it says more.
    """
    _credit(run, row)
    if row.status not in ("keep", "pivot") or run.mode == "exec":
        return
    from . import lessons_file
    from .lessons import Lesson

    lesson = Lesson(
        number=0,
        title=one_line(row.description, 100) or row.status,
        strategy=one_line(strategy or row.description, 300),
        outcome=row.status,
        insight=insight or measured_effect(run, row),
        context=one_line(f"{run.config.goal or run.config.metric}; scope {run.config.scope or '.'}", 200),
        iteration=f"{run.tag}#{row.iteration}",
        timestamp=context.now(),
    )
    lessons_file.append(run.layout.lessons, lesson)


def measured_effect(run: Run, row: Row) -> str:
    """What the row changed in figures, which its description does not say."""
    before = run.state.current_metric
    if row.status == "pivot":
        return f"abandoned after {run.state.consecutive_discards} experiments without a keep at {numbers.plain(before)}"
    assert row.metric is not None
    share = f", {float(row.metric - before) / abs(float(before)):+.1%}" if before else ""
    return (
        f"{run.config.metric or 'metric'} {numbers.plain(before)} to {numbers.plain(row.metric)} ({row.delta}{share})"
    )
