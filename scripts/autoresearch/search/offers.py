"""Whether the next step is the tool's own: a stored attempt on new ground, where that is cheaper than thinking."""

from __future__ import annotations

from ..kernel.core import pace
from ..kernel.core.rows import Row
from ..kernel.run.context import Run
from . import retry

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

# Seconds of thought for one of measuring, below which nothing is offered: there a try costs most for what it gives
# (tests/benchmarks/search.md).
RATIO = 2.0


def offered(run: Run, row: Row, action: str) -> dict[str, Any]:
    """The keys of `next` that make the tool's own trial the next step; nothing where it is not due."""
    if not (row.status == "keep" or row.is_own or action == "pivot") or action in ("stop", "needs_human"):
        return {}
    if run.config.companions or not retry.allowance(run) or pace.of(run.log.events).ratio < RATIO:
        return {}
    choice = next(iter(retry.choices(run)), None)
    if choice is None:
        return {}
    what = " with ".join(map(str, choice.iterations))
    why = f"trial {what} may gain on today's state; it needs no thought"
    return {"action": "retry", "reason": why, "do": f"Run: {retry.command(choice)}"}
