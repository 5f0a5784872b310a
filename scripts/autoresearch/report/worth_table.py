"""What each kept experiment is worth today, as the rows of a table: measured by `report --worth` or a pruning."""

from __future__ import annotations

from collections.abc import Iterator

from . import figures
from .account_model import Account, CostWithout

HEAD = ("#", "without it the number is worse by", "interval", "guard without it", "what")
TITLE = "What each kept experiment is worth today"


def rows(account: Account) -> Iterator[tuple[str, ...]]:
    """The cells of each experiment, in the order of `HEAD`, as plain text."""
    for item in account.worth:
        yield str(item.iteration), _cost(item, account), _interval(item, account), item.guard, item.description


def _cost(item: CostWithout, account: Account) -> str:
    if item.cost is None:
        return f"not known: {item.problem}"
    return figures.number(item.cost, account.spread) + (" (worth nothing)" if item.nothing else "")


def _interval(item: CostWithout, account: Account) -> str:
    if item.interval is None or item.interval[0] == item.interval[1]:
        return "exact" if item.interval else ""
    return " to ".join(figures.number(end, account.spread) for end in item.interval)
