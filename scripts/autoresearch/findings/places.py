"""Findings in a check's output: lines `file:line: text`, compared without their line numbers. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ..kernel.core.frozen import dataclass
from ..kernel.core.text import one_line

_LINE = re.compile(
    r"^(?P<path>(?!\d+:)[^\s:()][^:()\n]*?[\w-]+)"
    r"(?::(?P<line>\d+)|\((?P<paren>\d+)(?:,\d+)?\))(?::\d+)?:? (?P<text>\S.*)$"
)
_RULE = re.compile(r"\[([\w:./@-]+)\]$|^(?:error|warning)?:?\s*([A-Z]+\d+)\b")
_NUMBERS = re.compile(r"\b(?:line|lines|:)\s*\d+\b")
MOST = 20000  # findings that are looked at


@dataclass(frozen=True)
class Place:
    """One finding: path, line, text and rule ("" where the text names none)."""

    path: str
    line: int
    text: str
    rule: str = ""

    def __str__(self) -> str:
        return one_line(f"{self.path}:{self.line}: {self.text}", 240)


@dataclass(frozen=True)
class Difference:
    """What went and what came between two lists."""

    gone: tuple[Place, ...]
    new: tuple[Place, ...]


def found(output: str) -> tuple[Place, ...]:
    """The findings of an output, in order."""
    places = []
    for line in output.splitlines()[:MOST]:
        match = _LINE.match(line)
        if match and not line.startswith("METRIC "):
            rule = _RULE.search(match["text"])
            named = (rule[1] or rule[2]) if rule else ""
            places.append(Place(match["path"], int(match["line"] or match["paren"]), match["text"].strip(), named))
    return tuple(places)


def compared(before: Sequence[Place], after: Sequence[Place]) -> Difference:
    """What is gone and what is new; a finding that only moved to another line is the same one."""
    return Difference(_without(before, after), _without(after, before))


def _without(places: Sequence[Place], others: Sequence[Place]) -> tuple[Place, ...]:
    """Those of `places` that `others` do not hold, equal ones counted; the last ones of equal ones are left over."""
    known = Counter(map(_key, others))
    left = []
    for place in places:
        if known[_key(place)]:
            known[_key(place)] -= 1
        else:
            left.append(place)
    return tuple(left)


def _key(place: Place) -> tuple[str, str]:
    return place.path, _NUMBERS.sub("", place.text)


def grouped(places: Sequence[Place], most: int = 3) -> str:
    """The largest groups by rule and file: `19 no-untyped-def in render.py, 7 E501 in a.py and 12 more`."""
    groups = Counter((place.rule, place.path) for place in places).most_common()
    names = Counter(path.rpartition("/")[2] for path in {place.path for place in places})
    shown = []
    for (rule, path), number in groups[:most]:
        base = path.rpartition("/")[2]
        shown.append(f"{number} {f'{rule} ' if rule else ''}in {base if names[base] == 1 else path}")
    rest = sum(number for _, number in groups[most:])
    return one_line(", ".join(shown), 200) + (f" and {rest} more" if rest else "")
