"""When a run will end at its present pace, and which budget ends it."""

from __future__ import annotations

from dataclasses import dataclass

from ..kernel.core import supervise
from ..kernel.core.settings import Config
from ..kernel.core.supervise import Spent


@dataclass(frozen=True)
class Budget:
    """One budget by what it counts, such as `tokens`; `minutes_left` is None while no pace is known."""

    name: str
    used: float
    limit: float
    minutes_left: float | None

    @property
    def share(self) -> float:
        """How much of it is used, 0 to 1."""
        return min(1.0, max(0.0, self.used / self.limit)) if self.limit > 0 else 1.0


def budgets(config: Config, iteration: int, spent: Spent, active: float) -> tuple[Budget, ...]:
    """The budgets that the run has, each with the minutes it lasts at the pace of its `active` minutes so far."""
    found = supervise.budgets(config, iteration, spent)
    return tuple(_budget(row.more["counts"], used, limit, active) for row, used, limit in found)


def _budget(name: str, used: float, limit: float, active: float) -> Budget:
    if name == "minutes":
        return Budget(name, used, limit, max(0.0, limit - used))
    pace = active / used if used > 0 and active > 0 else None
    return Budget(name, used, limit, None if pace is None else max(0.0, limit - used) * pace)


def first_to_end(found: tuple[Budget, ...]) -> Budget | None:
    """The budget that is used up first, None when that cannot be told yet."""
    known = [budget for budget in found if budget.minutes_left is not None]
    return min(known, key=lambda budget: budget.minutes_left or 0.0, default=None)
