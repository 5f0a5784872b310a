"""What a failed edit is worth in this run: whether looking for its good part pays, and each further test. Pure.

All in seconds of the run: those in which new edits gain as much as the whole edit did, those of a test.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..kernel.core.frozen import dataclass

UNKNOWN = float("inf")
HALVING = 1.5  # tests that show which half of the rest is at fault
DEEP = 4  # halvings of an edit of a dozen hunks


@dataclass(frozen=True)
class Yield:
    """What the run has made of its time: experiments, the gains of those kept, seconds of one with its thought."""

    trials: int
    gains: Sequence[float]
    price: float

    def seconds(self, gain: float) -> float:
        """The time in which new edits gain as much; that of a keep where the gain is none by itself."""
        total = sum(self.gains)
        if not self.gains or total <= 0:
            return UNKNOWN
        keeps = gain * len(self.gains) / total if gain > 0 else 1.0
        return keeps * self.price * (self.trials + 1) / len(self.gains)


@dataclass(frozen=True)
class Stake:
    """An edit that failed: its worth, what a test of a part takes, and the trial that the part becomes (seconds)."""

    worth: float
    test: float
    last: float = 0.0

    def begins(self) -> bool:
        """Whether a search may bring more than it takes."""
        depths = range(1, DEEP + 1)
        return max((1 - 0.5**n) * self.worth - HALVING * n * self.test for n in depths) >= self.last

    def pays(self, share: float) -> bool:
        """Whether a test that may save this share of the edit is worth its time."""
        return share * self.worth >= HALVING * self.test
