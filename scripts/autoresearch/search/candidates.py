"""Which stored attempts are worth another trial on today's ground, and which two together. Pure.

Gains are in metric units, positive is better.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import combinations

from ..kernel.core.frozen import dataclass

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Union

    Name = Union[int, str]  # an iteration, or `12a` for a worker's

AGAIN = 1  # times that one attempt is tried again by itself


@dataclass(frozen=True)
class Stored:
    """An attempt that was not kept.

    `gain` is its estimate, `reach` the end of its interval that is best (equal to `gain` where the number is exact),
    `failed` why it was not kept ("metric" when it was undecided or lost in a batch), `paths` what it touches, `ground`
    the iteration of the retained state on which it was measured last, `tries` how often it was tried again.
    """

    iteration: int
    gain: float
    reach: float
    failed: str
    paths: frozenset[str]
    ground: int = 0
    tries: int = 0
    worker: str = ""  # the letter of one that lost in a batch

    @property
    def name(self) -> Name:
        """How it is called: its iteration, `12a` where it is a worker's."""
        return f"{self.iteration}{self.worker}" if self.worker else self.iteration


@dataclass(frozen=True)
class Choice:
    """What to try: one or two iterations, and the gain that is hoped for."""

    iterations: tuple[Name, ...]
    hope: float


def singles(stored: Iterable[Stored], ground: int, least: float) -> list[Choice]:
    """Attempts for which new ground may change the outcome, the best estimate first.

    `least` is the smallest gain worth having. Undecided ones reach above it; the others failed by something else.
    """
    found = [
        Choice((item.name,), item.gain if item.gain > 0 else item.reach / 2)
        for item in stored
        if item.ground < ground and item.tries < AGAIN and _may_gain(item, least)
    ]
    return sorted(found, key=lambda choice: (-choice.hope, str(choice.iterations)))


def _may_gain(item: Stored, least: float) -> bool:
    if item.failed in ("guard", "require"):
        return item.gain > least
    return item.failed == "metric" and item.reach > least


def pairs(stored: Sequence[Stored], tried: Collection[tuple[Name, ...]], detectable: float) -> list[Choice]:
    """Two undecided gains that touch different files, each below what can be detected and together above it."""
    usable = [item for item in stored if item.failed == "metric" and 0 < item.gain < detectable]
    found = []
    for one, other in combinations(sorted(usable, key=lambda item: (item.iteration, item.worker)), 2):
        both = (one.name, other.name)
        if both not in tried and not one.paths & other.paths and one.gain + other.gain > detectable:
            found.append(Choice(both, one.gain + other.gain))
    return sorted(found, key=lambda choice: (-choice.hope, str(choice.iterations)))


def affordable(own_seconds: float, all_seconds: float, share: float) -> bool:
    """Whether trials of the tool's own have taken less than their share of the measuring time."""
    return own_seconds <= share * all_seconds
