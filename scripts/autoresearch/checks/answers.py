"""Whether calls still answer what they answered at an earlier commit."""

from __future__ import annotations

from ..kernel.core.errors import Refusal
from ..kernel.core.text import shortened
from . import reference, toolbox
from .counted import Counted, Finding
from .toolbox import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any


def answers(request: Request) -> Counted:
    """Calls whose result, or whose exception, is another one than in a copy of `--against REV`.

    The operands are expressions of Python. Raises `Refusal` where a call differs from turn to turn of the same code,
    and where none of them works.
    """
    folders = [request.root, *reference.copies(request)]
    if len(folders) < 2 or not request.operands:
        raise Refusal("calls and --against REV are needed, expected e.g. answers 'f(1)' --setup 'from m import f' "
                      "--against 1a2b3c4")  # fmt: skip
    now, before = (_told(request, folder) for folder in folders)
    if not any(row[1] for row in (*now, *before)):
        raise Refusal(f"no call works: {now[0][0]}, expected results to compare; correct the calls or --setup")
    pairs = list(enumerate(zip(request.operands, before, now), 1))
    found = [
        Finding("call", number, f"{shortened(code, 80)} was {shortened(old[0], 60)}, is {shortened(new[0], 60)}")
        for number, (code, old, new) in pairs
        if old != new
    ]
    return Counted({"different": len(found), "compared": len(pairs)}, found, _raising(request, before))


def _raising(request: Request, rows: Sequence[Sequence[Any]]) -> tuple[str, ...]:
    """The line about calls that raise today: they compare an error, not an answer."""
    raising = [
        f"{shortened(code, 60)}: {shortened(row[0], 60)}" for code, row in zip(request.operands, rows) if not row[1]
    ]
    return (f"{len(raising)} of {len(rows)} calls raise, is that meant? {raising[0]}",) if raising else ()


def _told(request: Request, folder: Path) -> list[list[Any]]:
    """Of each call what it returned or raised, and whether it returned."""
    spec = {"codes": list(request.operands), "setup": request.get("setup", "")}
    rows: list[list[Any]] = toolbox.inside(request, toolbox.python(request), "callable.py", spec, folder)["told"]
    unsteady = next((code for code, row in zip(request.operands, rows) if row[0] != row[2]), "")
    if unsteady:
        raise Refusal(f"{shortened(unsteady, 80)} differs from turn to turn, expected the same each time; fix seeds")
    return [row[:2] for row in rows]
