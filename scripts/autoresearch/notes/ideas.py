"""Ideas of a run: parked now, tried later. What an idea says, how the file is read, and what may become of one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..kernel.core.choices import IDEAS
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.text import one_line

TEXT_LIMIT = 300
LIMIT = 500  # entries; a list longer than this helps nobody
_ENTRY = re.compile(rf"^- I-(\d+) \[({'|'.join(IDEAS)})\] (.*)$")
_NOTE = re.compile(r"^  - note: (.*)$")


@dataclass(frozen=True)
class Idea:
    """One entry `I-N`: a line of text, what became of it, and an optional line on why."""

    number: int
    text: str
    status: str = "open"
    note: str = ""

    def to_dict(self) -> dict[str, object]:
        """The entry as JSON."""
        entry: dict[str, object] = {"id": self.number, "status": self.status, "text": self.text}
        return {**entry, "note": self.note} if self.note else entry


def parse(markdown: str) -> list[Idea]:
    """The entries of an ideas file; other text in it is passed over."""
    found: list[Idea] = []
    for line in markdown.split("\n"):
        entry, note = _ENTRY.match(line), _NOTE.match(line)
        if entry:
            found.append(Idea(int(entry[1]), one_line(entry[3], TEXT_LIMIT), entry[2]))
        elif note and found:
            found[-1] = replace(found[-1], note=one_line(note[1], TEXT_LIMIT))
    return found


def render(ideas: Sequence[Idea], limit: str = "") -> str:
    """The whole file; `limit` is the line of the run's bound."""
    return f"# Ideas\n\n{limit}" + "".join(_lines(idea) for idea in ideas)


def _lines(idea: Idea) -> str:
    note = f"  - note: {idea.note}\n" if idea.note else ""
    return f"- I-{idea.number} [{idea.status}] {idea.text}\n{note}"


def added(ideas: Sequence[Idea], text: str) -> tuple[list[Idea], Idea]:
    """The list with a new open idea, and that idea; one that is there already is not written twice.

    Raises `Refusal` for an empty text and for a list that is full.
    """
    text = one_line(text, TEXT_LIMIT)
    if not text:
        raise Refusal("--text is empty, expected one line; an idea that says nothing is not written")
    known = next((idea for idea in ideas if idea.text.casefold() == text.casefold()), None)
    if known is not None:
        return list(ideas), known
    if len(ideas) >= LIMIT:
        raise Refusal(f"there are {LIMIT} ideas already, expected fewer; try those, or remove lines from the file")
    new = Idea(max((idea.number for idea in ideas), default=0) + 1, text)
    return [*ideas, new], new


def marked(ideas: Sequence[Idea], number: int, status: str, note: str | None) -> tuple[list[Idea], Idea]:
    """The list with one idea's status (and note, unless None) changed, and that idea; `Refusal` for an unknown one."""
    at = next((at for at, idea in enumerate(ideas) if idea.number == number), None)
    if at is None:
        raise Refusal(f"there is no idea {number}, expected the id of one; autoresearch_ideas.py list shows them")
    old = ideas[at]
    new = replace(old, status=status, note=old.note if note is None else one_line(note, TEXT_LIMIT))
    return [*ideas[:at], new, *ideas[at + 1 :]], new
