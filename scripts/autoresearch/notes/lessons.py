"""Lessons across runs: what an entry says, how entries are read, and how old ones fold into families."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.text import one_line

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

OLD_LIMIT = 50
_FIELDS = ("Strategy", "Outcome", "Insight", "Context", "Iteration", "Timestamp")
_TITLE = re.compile(r"^### L-(\d+): ?(.*)$")
_FIELD = re.compile(r"^- \*\*(\w+):\*\* ?(.*)$")
_FOLDED = re.compile(r" \(×(\d+)\)$")


@dataclass(frozen=True)
class Lesson:
    """One entry `L-N`; every field is one bounded line."""

    number: int
    title: str
    strategy: str
    outcome: str
    insight: str
    context: str = ""
    iteration: str = ""  # run-tag#N
    timestamp: str = ""

    def to_dict(self) -> dict[str, str]:
        """The entry as JSON."""
        return {"id": f"L-{self.number}", "title": self.title, **{f.lower(): getattr(self, f.lower()) for f in _FIELDS}}

    def text(self) -> str:
        """The entry as Markdown."""
        lines = [f"- **{name}:** {one_line(getattr(self, name.lower()))}" for name in _FIELDS]
        return "\n".join([f"### L-{self.number}: {one_line(self.title, 200)}", *lines]) + "\n"


def parse(markdown: str) -> list[Lesson]:
    """The entries of a lessons file; other text in it is passed over."""
    found: list[Lesson] = []
    for line in markdown.split("\n"):
        title, field = _TITLE.match(line), _FIELD.match(line)
        if title:
            found.append(Lesson(int(title[1]), title[2].strip(), "", "", ""))
        elif field and found and field[1] in _FIELDS:
            values: dict[str, Any] = {field[1].lower(): field[2].strip()}
            found[-1] = replace(found[-1], **values)
    return found


def render(entries: Sequence[Lesson]) -> str:
    """The whole file."""
    return "# Lessons\n\n" + "\n".join(entry.text() for entry in entries)


def add(entries: Sequence[Lesson], new: Lesson) -> list[Lesson]:
    """Append `new` under the next number and fold old entries so that at most `OLD_LIMIT` stand before it."""
    number = max((entry.number for entry in entries), default=0) + 1
    return [*_bounded(list(entries)), replace(new, number=number)]


def _bounded(entries: list[Lesson]) -> list[Lesson]:
    while len(entries) > OLD_LIMIT:
        entries = _merge_oldest(entries)
    return entries


def _merge_oldest(entries: list[Lesson]) -> list[Lesson]:
    """Merge the oldest pair of one family, or the two oldest entries when every family is alone."""
    seen: dict[str, int] = {}
    for at, entry in enumerate(entries):
        kin = family(entry)
        if kin in seen:
            return _merged(entries, seen[kin], at)
        seen[kin] = at
    return _merged(entries, 0, 1)


def _merged(entries: list[Lesson], first: int, second: int) -> list[Lesson]:
    old, new = entries[first], entries[second]
    count = _weight(old) + _weight(new)
    outcomes = ", ".join(
        dict.fromkeys(part.strip() for entry in (old, new) for part in entry.outcome.split(",") if part)
    )
    title = f"{one_line(_FOLDED.sub('', new.title), 180)} (×{count})"
    one = replace(new, title=title, outcome=outcomes)
    return [*entries[:first], one, *entries[first + 1 : second], *entries[second + 1 :]]


def _weight(entry: Lesson) -> int:
    match = _FOLDED.search(entry.title)
    return int(match[1]) if match else 1


def family(entry: Lesson) -> str:
    """What makes entries kin: the first three words of their strategy that are not numbers."""
    words = re.findall(r"[^\W\d_]{3,}", (entry.strategy or entry.title).lower())
    return " ".join(words[:3])
