"""What was decided about a run: to go on, to stop, to resume, to start, or to ask a human."""

from __future__ import annotations

from .frozen import dataclass


@dataclass(frozen=True)
class Ruling:
    """`decision` and `reason` are words of docs/artifacts.md, Reasons; `detail` is a sentence for people, and `more`
    are further ones."""

    decision: str
    reason: str
    detail: str = ""
    more: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """All that is said to people."""
        return tuple(filter(None, (self.detail, *self.more)))
