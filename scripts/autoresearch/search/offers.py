"""Whether the next step is the tool's own: a stored attempt on new ground, where that is cheaper than thinking."""

from __future__ import annotations

from collections.abc import Mapping

from ..kernel.core.rows import Row
from ..kernel.core.supervise import OVER
from ..kernel.run.context import Run
from . import thought

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

    from .candidates import Choice

# Seconds of thought for one of measuring, below which nothing is offered: there a try costs most for what it gives
# (tests/benchmarks/search.md).
RATIO = 2.0
LOOKED_AT = 5  # choices, the best ones, of which the first that fits is taken


def told(run: Run, row: Row, found: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of `next` that make the tool's own trial the next step; nothing where it is not due.

    Under a controller there is nothing to offer: it runs such trials itself, between sessions.
    """
    action = found.get("action", "stop")
    if not (row.status == "keep" or row.is_own or action == "pivot") or action in OVER:
        return {}
    choice = None if run.config.session_mode == "background" else _best(run)
    if choice is None:
        return {}
    what = " with ".join(map(str, choice.iterations))
    why = f"trial {what} may gain on today's state; it needs no thought"
    from . import retry

    return {"action": "retry", "reason": why, "do": f"Run: {retry.command(choice)}"}


def due(run: Run) -> str:
    """The iterations that the tool tries by itself now, as `--retry` takes them; "" where nothing is due."""
    choice = _best(run) if run.config.measured else None
    return ",".join(map(str, choice.iterations)) if choice else ""


def _best(run: Run) -> Choice | None:
    """The choice with the best hope that fits onto today's state; None where its time or its count is used up, or
    where thinking is cheaper."""
    if run.state.line or run.config.companions or thought.of(run.log).ratio < RATIO:
        return None
    from . import retry  # loads most of this folder, and most answers offer nothing

    if not retry.allowance(run):
        return None
    return next((choice for choice in retry.choices(run)[:LOOKED_AT] if retry.fits(run, choice)), None)
