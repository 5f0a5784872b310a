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
RETIRED_AT = 3  # uses in a row that led to a discard
_FIELDS = ("Strategy", "Outcome", "Insight", "Context", "Iteration", "Timestamp", "Credit")
_TITLE = re.compile(r"^### L-(\d+): ?(.*)$")
_FIELD = re.compile(r"^- \*\*(\w+):\*\* ?(.*)$")
_CREDIT = re.compile(r"(\d{1,6}) kept, (\d{1,6}) not since")
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
    credit: str = ""  # "2 kept, 1 not since": uses that led to a keep, and those after the last one that did not

    @property
    def uses(self) -> tuple[int, int]:
        """Uses that led to a keep, and uses after the last of them that did not."""
        found = _CREDIT.fullmatch(self.credit)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    @property
    def is_retired(self) -> bool:
        """Whether its last uses all led to nothing."""
        return self.uses[1] >= RETIRED_AT

    def used(self, kept: bool) -> Lesson:
        """The lesson after one more use."""
        wins, losses = self.uses
        wins, losses = (wins + 1, 0) if kept else (wins, losses + 1)
        return replace(self, credit=f"{wins} kept, {losses} not since")

    def to_dict(self) -> dict[str, str]:
        """The entry as JSON."""
        return {"id": f"L-{self.number}", "title": self.title, **self._filled()}

    def _filled(self) -> dict[str, str]:
        return {name.lower(): getattr(self, name.lower()) for name in _FIELDS if name != "Credit" or self.credit}

    def text(self) -> str:
        """The entry as Markdown."""
        lines = [f"- **{name}:** {one_line(getattr(self, name.lower())) or '-'}" for name in _FIELDS[:-1]]
        lines += [f"- **Credit:** {self.credit}"] if self.credit else []
        return "\n".join([f"### L-{self.number}: {one_line(self.title, 200)}", *lines]) + "\n"


def parse(markdown: str) -> list[Lesson]:
    """The entries of a lessons file; other text in it is passed over."""
    found: list[Lesson] = []
    for line in markdown.split("\n"):
        title, field = _TITLE.match(line), _FIELD.match(line)
        if title:
            found.append(Lesson(int(title[1]), title[2].strip(), "", "", ""))
        elif field and found and field[1] in _FIELDS:
            text = field[2].strip()
            values: dict[str, Any] = {field[1].lower(): "" if text == "-" else text}
            found[-1] = replace(found[-1], **values)
    return found


def has_foreign(markdown: str) -> bool:
    """Whether there is text that is no entry, and would be lost in a rewrite; our own old heading is none."""
    lines = (line for line in markdown.split("\n") if line.strip() and line.strip() != "# Lessons")
    inside = False
    for line in lines:
        inside = inside or _TITLE.match(line) is not None
        field = _FIELD.match(line)
        if not (_TITLE.match(line) or (inside and field and field[1] in _FIELDS)):
            return True
    return False


def render(entries: Sequence[Lesson]) -> str:
    """The whole file; it begins with its first entry, for other tools read it too."""
    return "\n".join(entry.text() for entry in entries)


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


def ranked(entries: Sequence[Lesson]) -> list[Lesson]:
    """What a new run is to read: retired ones out; the rest as written, those with credit last, next to the newest."""
    return sorted((entry for entry in entries if not entry.is_retired), key=lambda entry: entry.uses[0])


def credited(entries: Sequence[Lesson], used: Sequence[str], kept: bool) -> list[Lesson]:
    """The entries after a trial that used some of them."""
    return [entry.used(kept) if f"L-{entry.number}" in used else entry for entry in entries]


def family(entry: Lesson) -> str:
    """What makes entries kin: the first three words of their strategy that are not numbers."""
    words = re.findall(r"[^\W\d_]{3,}", (entry.strategy or entry.title).lower())
    return " ".join(words[:3])
