"""What people read of an edit of which a part was kept, and of the search for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

DOING = "doing.json"  # in the evidence of a trial, while parts of it are tried
REST = ": rest.diff"  # between what was left out and where it lies


def of_the_whole(event: Mapping[str, Any], text: str) -> str:
    """What was said of an edit, marked where only a part of it was kept; `event` is the trial's."""
    told = event.get("told")
    share, out = (told.get(name) for name in ("salvaged", "left_out")) if isinstance(told, Mapping) else (None, None)
    if not text or not isinstance(share, str):
        return text
    return f"(said of the whole edit; {share} were kept, left out: {str(out).partition(REST)[0]}) {text}"
