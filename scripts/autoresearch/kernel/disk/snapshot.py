"""`autoresearch-state.json`: a snapshot of the fold. It may be missing, old or broken without harm."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..core import fold, jsontext
from . import atomic
from .journal import Log

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any


def read(path: Path) -> dict[str, Any] | None:
    """The snapshot, None when there is no file; raises `ValueError` when it is unreadable."""
    try:
        data = jsontext.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from None
    if not isinstance(data, dict):
        raise ValueError("not a JSON object")
    if data.get("version", 1) != 1:
        raise ValueError(f"version {data['version']!r}, expected 1")
    return data


def tolerant(path: Path) -> dict[str, Any] | None:
    """The snapshot, or None when it is missing or unreadable."""
    try:
        return read(path)
    except ValueError:
        return None


def relation(snapshot: Mapping[str, Any], log: Log) -> str:
    """`equal` to the fold, `older` (the fold of a prefix), or `diverged` (of none: somebody edited a file)."""
    state = snapshot.get("state")
    if not isinstance(state, dict) or not {"iteration", "current_metric"} <= state.keys():
        return "diverged"
    tag = snapshot.get("run_tag")
    if tag and log.header.get("run_tag") and str(tag) != log.header["run_tag"]:
        return "diverged"
    iteration = state["iteration"]
    if iteration == log.state.iteration:
        return "equal" if fold.agrees(state, log.state) else "diverged"
    if not isinstance(iteration, int) or not 0 <= iteration < log.state.iteration:
        return "diverged"
    return "older" if fold.agrees(state, log.state_at(iteration)) else "diverged"


def write(path: Path, data: Mapping[str, Any]) -> None:
    """Replace the snapshot; the caller holds the log's lock."""
    atomic.replace(path, jsontext.dumps({"version": 1, **data}, indent=2) + "\n")
