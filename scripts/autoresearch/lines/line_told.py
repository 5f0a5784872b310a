"""What answers say of side lines: the step that is the tool's, and the command that takes it. Asked after every row."""

from __future__ import annotations

from collections.abc import Mapping

from ..kernel.core.rows import Row
from ..kernel.core.supervise import OVER
from ..kernel.disk.layout import script
from ..kernel.run.context import Run

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any


def told(run: Run, row: Row, found: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of `next` where the step is the tool's; under a controller it takes it itself, between sessions."""
    if not run.config.side_lines:
        return {}
    from . import steps  # what is loaded only where side lines were agreed

    step = steps.due(run)
    if not step:
        return {}
    if run.config.session_mode == "background":
        over = found.get("action") in OVER
        do = "End your turn now: the tool goes on by itself."
        return {} if over and step != steps.OPEN else {"action": "end_turn", "reason": steps.WHY[step], "do": do}
    return {"action": "line", "reason": steps.WHY[step], "do": f"Run: {command()}"}


def shown(run: Run, row: Row, found: Mapping[str, Any]) -> dict[str, Any]:
    """The same beside an answer that has no `next`: that of a recorded pivot."""
    next_step = {} if "next" in found else told(run, row, {})
    return {"next": next_step} if next_step else {}


def advice(run: Run) -> str:
    """The command that ends an open line, else ""."""
    return command() if run.state.line and run.config.session_mode != "background" else ""


def command() -> str:
    """The line that takes all steps which are due."""
    return f"python3 {script('line')} --repo ."
