"""The wish that a controller end between two experiments."""

from __future__ import annotations

from pathlib import Path

from ..kernel.disk import evidence
from ..kernel.disk.layout import Layout
from ..kernel.run import context


def _path(layout: Layout) -> Path:
    return layout.evidence / "pause-request.json"


def ask(layout: Layout) -> None:
    """Ask for it."""
    evidence.write_json(_path(layout), {"at": context.now()})


def is_asked(layout: Layout) -> bool:
    """Whether somebody asked."""
    return _path(layout).exists()


def forget(layout: Layout) -> None:
    """The run goes on, or is over."""
    _path(layout).unlink(missing_ok=True)
