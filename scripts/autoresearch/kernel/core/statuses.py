"""The statuses of a row: one row of this table each. Everything that depends on a status asks this table."""

from __future__ import annotations

from .frozen import dataclass


@dataclass(frozen=True)
class Status:
    """What a status means.

    `retains`: the row's metric and commit become the retained ones; `restarts`: the ladder and the count of failures
    begin anew; `failure`: counts towards a refine; `strike`: an experiment without a keep, counts towards a pivot;
    `free`: no budget of iterations pays for it; `counter`: its counter in the state; `needs`: cells that a row must
    fill; `trial_only`: in a measured run only a trial may record it; `valued`: its metric is its own, not the retained
    one's; `look`: symbol, colour and legend.
    """

    name: str
    look: tuple[str, str, str]
    retains: bool = False
    restarts: bool = False
    failure: bool = False
    strike: bool = False
    counter: str = ""
    needs: tuple[str, ...] = ()
    trial_only: bool = False
    valued: bool = False
    free: bool = False


_BOTH = ("metric", "commit")
_ROWS = (
    Status("baseline", ("dot", "base", "baseline"), retains=True, restarts=True, needs=("metric",), valued=True),
    Status(
        "keep",
        ("dot", "keep", "kept"),
        retains=True,
        restarts=True,
        counter="keeps",
        needs=_BOTH,
        trial_only=True,
        valued=True,
    ),
    Status(
        "discard",
        ("hollow", "discard", "discarded"),
        failure=True,
        strike=True,
        counter="discards",
        needs=_BOTH,
        trial_only=True,
        valued=True,
    ),
    Status(
        "crash",
        ("cross", "crash", "crashed"),
        failure=True,
        strike=True,
        counter="crashes",
        needs=("commit",),
        trial_only=True,
    ),
    Status("no-op", ("tick", "discard", "no change"), failure=True, strike=True, counter="no_ops", trial_only=True),
    Status("blocked", ("stop", "crash", "blocked"), counter="blocked"),
    Status("drift", ("dot", "step", "measured again"), retains=True, needs=("metric",), valued=True, free=True),
    Status("refine", ("tick", "step", "refine"), strike=True),
    Status("pivot", ("diamond", "step", "pivot")),
    Status("search", ("hollow", "step", "search")),
)
TABLE = {status.name: status for status in _ROWS}
NAMES = tuple(TABLE)
RECORDABLE = NAMES[1:]  # the baseline comes with the set-up


def those(trait: str) -> frozenset[str]:
    """The names of the statuses that have a trait ("retains", "failure", …)."""
    return frozenset(name for name, status in TABLE.items() if getattr(status, trait))
