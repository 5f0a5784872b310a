"""How long to wait before the next session, by the class of the last ending. Pure."""

from __future__ import annotations

from .agent import ErrorClass

FIRST_S = 60.0
LONGEST = 60  # times the first wait: an hour by default
SHORTEST_S = 1.0


def seconds(ending: ErrorClass, failures: int, first: float = FIRST_S) -> float:
    """Seconds to wait after `failures` failed sessions in a row (this one included); 0.0 for none.

    What the server asks for counts as it is, else `first` doubles with each failure up to `LONGEST` times.
    """
    if ending.action == "wait":
        return max(SHORTEST_S, ending.retry_after or 0.0)
    if ending.action != "backoff":
        return 0.0
    return first * min(LONGEST, 1 << min(max(failures, 1) - 1, 10))
