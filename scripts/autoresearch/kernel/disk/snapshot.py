"""`autoresearch-state.json`: a snapshot of the fold. It may be missing, old or broken without harm."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..core import fold, jsontext
from ..core.text import one_line
from . import atomic, regular
from .journal import Log

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any


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


# Without these a `state` object is no fold of anything (contract section 3); others came later.
CORE = ("iteration", "baseline_metric", "best_metric", "best_iteration", "current_metric", "last_status")


def lacking(snapshot: Mapping[str, Any]) -> tuple[str, ...]:
    """The core fields that a snapshot's `state` lacks: with any it is unusable, not edited."""
    state = snapshot.get("state")
    return tuple(name for name in CORE if not isinstance(state, dict) or name not in state)


def differences(snapshot: Mapping[str, Any], log: Log) -> tuple[str, ...]:
    """What a diverged snapshot says otherwise than the log: each field with both values."""
    state, mine = snapshot["state"], log.state.to_dict()
    pairs = [(name, state[name], mine[name]) for name in fold.differing(state, log.state)]
    tag = snapshot.get("run_tag")
    if not _same_tag(tag, log):
        pairs.append(("run_tag", tag, log.header["run_tag"]))
    return tuple(f"{name}: snapshot {_shown(theirs)}, log {_shown(ours)}" for name, theirs, ours in pairs)


def _shown(value: Any) -> str:
    return one_line(value if isinstance(value, str) else jsontext.dumps(value), 80)


def _same_tag(tag: Any, log: Log) -> bool:
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
    if not same or not _same_tag(snapshot.get("run_tag"), log):
        return "diverged"
    return "equal" if iteration == log.state.iteration else "older"


def write(path: Path, data: Mapping[str, Any]) -> None:
    """Replace the snapshot; the caller holds the log's lock."""
    atomic.replace(path, jsontext.dumps({"version": 1, **data}, indent=2) + "\n")
