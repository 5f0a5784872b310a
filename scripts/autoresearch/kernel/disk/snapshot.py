"""`autoresearch-state.json`: a snapshot of the fold. It may be missing, old or broken without harm."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..core import fold, jsontext
from ..core.frozen import Any
from . import atomic, regular
from .journal import Log


def read(path: Path) -> dict[str, Any] | None:
    """The snapshot, None when there is no file; raises `ValueError` when it is unreadable."""
    try:
        data = jsontext.loads(regular.read_text(path))
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


# Without these a `state` object is no fold of anything (docs/artifacts.md, The snapshot); others came later.
CORE = ("iteration", "baseline_metric", "best_metric", "best_iteration", "current_metric", "last_status")


def lacking(snapshot: Mapping[str, Any]) -> tuple[str, ...]:
    """The core fields that a snapshot's `state` lacks: with any it is unusable, not edited."""
    state = snapshot.get("state")
    return tuple(name for name in CORE if not isinstance(state, dict) or name not in state)


def same_tag(tag: Any, log: Log) -> bool:
    """Whether a snapshot's tag is the log's, where both have one."""
    return not tag or not log.header.get("run_tag") or str(tag) == log.header["run_tag"]


def relation(snapshot: Mapping[str, Any], log: Log) -> str:
    """`equal` to the fold, `older` (that of a prefix), `diverged` (of none: somebody edited a file) or `unusable`."""
    if lacking(snapshot):
        return "unusable"
    state = snapshot["state"]
    iteration = state["iteration"]
    if iteration == log.state.iteration:
        same = not fold.differing(state, log.state)
    else:
        known = isinstance(iteration, int) and 0 <= iteration < log.state.iteration
        same = known and not fold.differing(state, log.state_at(iteration))
    if not same or not same_tag(snapshot.get("run_tag"), log):
        return "diverged"
    return "equal" if iteration == log.state.iteration else "older"


def write(path: Path, data: Mapping[str, Any]) -> None:
    """Replace the snapshot; the caller holds the log's lock."""
    atomic.replace(path, jsontext.dumps({"version": 1, **data}, indent=2) + "\n")
