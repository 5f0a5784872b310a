"""The limit of a run: the least (or most) that its number could be, and what binds it. Worked out by the agent."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

from ..kernel.core import numbers
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from ..kernel.core.text import one_line
from ..kernel.disk import regular
from ..kernel.run.context import Run

WHY_LIMIT = 300
_LINE = re.compile(r"^Bound: (\S+) - (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Bound:
    """The number that cannot be passed, in metric units, and why."""

    value: Decimal
    why: str

    def text(self) -> str:
        """The line of the ideas file."""
        return f"Bound: {numbers.plain(self.value)} - {self.why}\n\n"


def made(value: str, why: str) -> Bound:
    """A bound as given; raises `Refusal` for one without a reason."""
    why = one_line(why, WHY_LIMIT)
    if not why:
        raise Refusal("--why is empty, expected one line: what binds the number; a limit without a reason is a wish")
    return Bound(numbers.parse(value, "--value"), why)


def parse(markdown: str) -> Bound | None:
    """The bound that an ideas file holds, or None."""
    found = _LINE.search(markdown)
    if found is None or not numbers.is_number(found[1]):
        return None
    return Bound(Decimal(found[1]), one_line(found[2], WHY_LIMIT))


def read(path: Path) -> Bound | None:
    """The bound in an ideas file, None without file or bound."""
    try:
        return parse(regular.read_text(path))
    except (OSError, UnicodeDecodeError):
        return None


def gap(bound: Bound, now: Decimal, baseline: Decimal) -> str:
    """How far the retained metric is from the bound: `27 above the limit 886, 99.9 % of the way gone`."""
    left, way = now - bound.value, baseline - bound.value
    side = "at" if not left else f"{numbers.plain(abs(left))} {'above' if left > 0 else 'below'}"
    share = f", {(1 - left / way) * 100:.1f} % of the way gone" if way else ""
    return f"{side} the limit {numbers.plain(bound.value)}{share}"


def told(run: Run, row: object = None, found: object = None) -> dict[str, str]:
    """The gap, for an answer's `next`; nothing without a bound."""
    known = read(run.layout.ideas)
    return {"limit": gap(known, run.state.current_metric, run.state.baseline_metric)} if known else {}
