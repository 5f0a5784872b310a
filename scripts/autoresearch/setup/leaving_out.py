"""Tests that fail before anything was changed are left out of the guard, by name; the user hears which."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..kernel.core.text import listing, one_line
from .draft import HELD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST = 20  # tests; where more fail, something is wrong with all of them
ROUNDS = 3  # a file that cannot be loaded hides the failures of others
_PYTEST = re.compile(r"[^|;&<>\n]*\b(?:pytest|py\.test)\b[^|;&<>\n]*")
_FAILED = re.compile(r"(?:FAILED|ERROR) (\S+\.py(?:::\S+)?)(?:\s|$)")


def named(folder: Path, check: str) -> list[str]:
    """The tests that pytest's summary names in a check's output kept here, files that cannot be loaded among them."""
    texts = [path.read_text("utf-8", "replace") for path in sorted(folder.glob(f"{check}.*"))]
    found = [match[1] for text in texts for match in map(_FAILED.match, text.splitlines()) if match]
    return [one_line(name, 300) for name in dict.fromkeys(found)]


def flags(names: Sequence[str]) -> str:
    """Pytest's flags that leave these out."""
    return " ".join(f"--{'deselect' if '::' in name else 'ignore'} {shlex.quote(name)}" for name in names)


def settled(
    guards: Sequence[str], first: Mapping[str, Any], rehearse: Callable[[Sequence[str]], Mapping[str, Any]]
) -> tuple[Sequence[str], Mapping[str, Any]]:
    """Guards without what fails today, and the dry run with them; as they were where that leaves no guard that passes.

    `first` is the dry run with all of it, whose key `guard_fails` names tests; `rehearse` makes the next one.
    """
    out: list[str] = []
    trimmed, told = list(guards), first
    for _ in range(ROUNDS):
        more = [name for name in told.get("guard_fails", ()) if name not in out]
        out += more
        if not more or len(out) > MOST:
            return guards, first
        trimmed = [f"{text} {flags(more)}" if _PYTEST.fullmatch(text) else text for text in trimmed]
        if trimmed == list(guards):
            return guards, first
        told = rehearse(trimmed)
        if told.get("guard") == "pass":
            return trimmed, _said(told, out)
    return guards, first


def _said(told: Mapping[str, Any], out: Sequence[str]) -> dict[str, Any]:
    """The dry run's answer and draft with what is left out."""
    left = f"left out, for they fail today: {listing(out, 3)}"
    draft = [f"{line}; {left}" if line.startswith(HELD) else line for line in told["draft"]]
    return {**told, "left_out": out, "draft": draft, "warnings": [f"tests {left}", *told["warnings"]]}
