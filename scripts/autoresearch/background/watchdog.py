"""When a running session is to be ended from outside. Pure; times are seconds of one clock."""

from __future__ import annotations

from ..kernel.core.frozen import dataclass

# A session is told that its run is over by the answer of its last trial; so long it may take to say goodbye.
GOODBYE_S = 60.0


@dataclass(frozen=True)
class Signs:
    """What is seen of a session: now, its newest event, since when its run is over (None: it is not)."""

    now: float
    last_event: float
    over_since: float | None = None


def verdict(signs: Signs, silence: float) -> str:
    """`silent`, `over`, or "" to let it work. A trial that runs is waited for by the caller; it has its own limit."""
    if signs.over_since is not None and signs.now - signs.over_since > GOODBYE_S:
        return "over"
    return "silent" if signs.now - signs.last_event > silence else ""
