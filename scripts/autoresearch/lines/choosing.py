"""Which earlier state a side line grows from. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ..kernel.core.frozen import dataclass

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True)
class Earlier:
    """A state that was retained once: its iteration, its metric, and the paths in which today's state differs."""

    iteration: int
    metric: Decimal
    paths: frozenset[str]


def ordered(states: Iterable[Earlier], stalled: frozenset[str], direction: str) -> list[Earlier]:
    """The best first: those whose later keeps touch other files than the stalled ideas, then the others.

    A state that equals today's is none of them.
    """
    sign = 1 if direction == "lower" else -1

    def rank(item: Earlier) -> tuple[bool, Decimal, int]:
        """Files shared with the stalled ideas, then the metric, then how early it is."""
        return not item.paths.isdisjoint(stalled), sign * item.metric, -item.iteration

    return sorted((item for item in states if item.paths), key=rank)
