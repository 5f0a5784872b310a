"""The true total at the end of a run, measured by the controller once no session lives."""

from __future__ import annotations

from ..kernel import ports
from ..kernel.core.errors import Refusal
from ..kernel.core.rulings import Ruling
from ..kernel.disk.layout import Layout, entry
from ..kernel.run import context
from ..kernel.system.git import GitError
from . import runtime, taking
from .account import Book
from .manifest import Options
from .wake import Wake

WHAT = "the measurement of the true total"


def measure(book: Book, wake: Wake, python: str, options: Options, over: Ruling) -> None:
    """Measure it where the run ended by itself and has something to measure; what stops it is in the log alone."""
    ended = over.decision == runtime.TERMINAL or over.reason == "soft_blocked"
    if not ended or wake.asked or not _is_due(book.layout):
        return
    needs = [part for path in options.links for part in ("--link", path)]
    needs += ["--setup", options.setup] if options.setup else []
    argv = (python, str(entry("total")), *taking.flags(book.layout), "--format", "json", *needs)
    taking.command(book, wake, argv, WHAT, {})


def _is_due(layout: Layout) -> bool:
    try:
        run = context.load(layout)
        return any(due(run) for due in ports.asked("row", "is_due"))
    except (Refusal, GitError, OSError):
        return False
