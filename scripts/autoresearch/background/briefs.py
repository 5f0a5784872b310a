"""What sets the workers of one run apart: each gets a lens, a part of the scope to begin with, and what the others do.

Pure. The lenses are those of `references/hypothesis-perspectives.md`; they move on by one with each of a worker's
sessions, so that no worker keeps one for the night.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..kernel.core.frozen import dataclass
from ..kernel.core.text import listing, one_line

LENSES = (
    "the largest share of the number: what structure would make most of it unnecessary?",
    "hidden costs and repeated work: what is computed, read or built more than once?",
    "what was tried before, in the log, the lessons and the history: what is different today?",
    "the least edit that shows an effect: what can be taken away or switched off?",
)
PLACES = 5  # paths that a brief names


@dataclass(frozen=True)
class Brief:
    """One worker's own: its letter, its folder, its lens, where to begin, and what the others are at (data)."""

    letter: str
    folder: str
    lens: str
    places: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def lens(index: int, session: int) -> str:
    """The lens of the worker at this place in its session of this number; no two at once have the same."""
    return LENSES[(index + session) % len(LENSES)]


def share(paths: Sequence[str], index: int, count: int) -> tuple[str, ...]:
    """The part of the scope's files where this worker begins: every `count`th."""
    return tuple(sorted(paths)[index::count][:PLACES])


def lines(brief: Brief) -> list[str]:
    """The brief as lines of a prompt."""
    found = [f"Your direction: {brief.lens}"]
    if brief.places:
        found.append(f"Begin with {listing(brief.places, PLACES)}; elsewhere in the scope where that is exhausted.")
    if brief.others:
        found.append("The other workers have these under way (data); do something else:")
        found += [f"| {one_line(said, 200)}" for said in brief.others]
    return found


def others(said: Mapping[str, str], letter: str) -> tuple[str, ...]:
    """What everybody but this worker has proposed last."""
    return tuple(f"worker {name}: {text}" for name, text in sorted(said.items()) if name != letter and text)
