"""What an output says beside a number that makes it another number, or none: trouble, a direction, a column. Pure."""

from __future__ import annotations

import re

from ..kernel.core.frozen import Any
from ..kernel.core.text import one_line
from . import quantity

NOTHING = "-"  # looked for, and not there; "" is what an earlier version did not look for
# A count on a line that tells of trouble is of what came before it: `0 failures, 1 error`, `errors prevented checks`.
_TROUBLE = frozenset(
    "error exception crash crashed abort aborted fatal panic panicked interrupted prevented killed timeout segfault"
    " incomplete truncated bailed failed failure".split()
)
# The same number means the opposite beside the other one: `10 % faster`, `10 % slower`.
_WAYS = frozenset(
    "faster slower better worse smaller larger bigger improved regressed increased decreased improvement regression"
    " increase decrease".split()
)
_NONE_OF = r"(?i)\b(?:0|no|zero|without)[ \t]+(?:[a-z]+[ \t]+)?(?:%s)s?\b|\b(?:%s)s?[ \t]*[:=][ \t]*0(?![.,]?\d)"
_COUNTED = r"\b\d[\d.,]*[ \t]+(?:failed|failures?)\b|\b(?:failed|failures?)[ \t]*[:=(][ \t]*\d"
_CELLS = (r"[|\u2502\u2503]", r"\t", r",(?! )", r"[ \t]{2,}")  # what stands between the cells of a table
_HIGH = 200  # rows of a table that are looked at for its head
_SAYS_SO = frozenset("error errors exception exceptions timeout timed_out timedout crashed aborted fatal".split())
_DENIES = frozenset("success ok passed valid complete completed".split())
_STATES = frozenset("status state outcome result level conclusion verdict".split())
_FAILED = frozenset(
    "error errored fail failed failure fatal crash crashed timeout timedout aborted cancelled canceled invalid".split()
)


def on_line(line: str, start: int, stop: int) -> str:
    """Words of trouble and of direction on a line, without the number from `start` to `stop`; none that counts 0."""
    rest = re.sub(_COUNTED, " ", f"{line[:start]}0{line[stop:]}".lower()) if "fail" in line.lower() else ""
    rest = rest or f"{line[:start]} {line[stop:]}".lower()
    words = {word[:-1] if word[:-1] in _TROUBLE else word for word in re.findall(r"[^\W\d_]+", rest)}
    if words & _TROUBLE:
        names = "|".join(_TROUBLE)
        rest = re.sub(_NONE_OF % (names, names), " ", rest)
        words &= {*re.findall(r"[^\W\d_]+", rest), *(word[:-1] for word in re.findall(r"[^\W\d_]+s\b", rest))}
    return " ".join(sorted(words & (_TROUBLE | _WAYS))) or NOTHING


def in_json(objects: list[dict[str, Any]]) -> str:
    """How the objects around a number say that the run failed: `error`, `not ok`, `status failed`."""
    found = set()
    for name, value in ((key.lower(), item) for one in objects for key, item in one.items()):
        if name in _SAYS_SO and value and (value is True or isinstance(value, (str, list, dict))):
            found.add(name)
        elif name in _DENIES and value is False:
            found.add(f"not-{name}")
        elif name in _STATES and isinstance(value, str) and value.lower() in _FAILED:
            found.add(f"{name}-{value.lower()}")
    return " ".join(sorted(found)) or NOTHING


def added(found: str, known: str) -> str:
    """What is said now and was not at the baseline; "" where that was not looked at.

    A direction counts in place of another one only: `0.6 (improved)` is what a good run adds.
    """
    mine, before = {*found.split(" ")} - {NOTHING}, {*known.split(" ")}
    turned = bool(before & _WAYS - mine)
    return " ".join(sorted(word for word in mine - before if turned or word not in _WAYS)) if known else ""


def column(text: str, start: int) -> str:
    """The column of a table that the place `start` of a text is in, and its head where that is plain words."""
    begin = text.rfind("\n", 0, start) + 1
    line = text[begin:].partition("\n")[0].strip()
    border = next((one for one in _CELLS if re.search(one, line)), "")
    if not border or (border != _CELLS[0] and re.match(r"[^\t,]*?[:=](?:\s|$)", line)):
        return ""  # a name and its value, no table
    number = len(re.findall(border, text[begin:start].lstrip()))
    rows = text[:begin].split("\n")[-_HIGH:-1]
    head = _head(rows, border, len(re.findall(border, line)), number)
    if border == _CELLS[-1] and not re.search(r"[^\W\d_]", head):
        head = _offset(rows, text, begin, start)
    named = f" ({head})" if re.search(r"[^\W\d_]", head) and not re.search(r"\d", head) else ""
    return one_line(f"column {number}{named}", 60) if named or border == _CELLS[0] else ""


def _head(rows: list[str], border: str, cells: int, number: int) -> str:
    """The cell `number` of the first of the rows right above that have as many cells."""
    head = ""
    for row in map(str.strip, reversed(rows)):
        if len(re.findall(border, row)) != cells:
            break
        head = re.split(border, row)[number].strip()
    return head


def _offset(rows: list[str], text: str, begin: int, start: int) -> str:
    """The head that ends right above the end of the number at `start`, where the names of rows have none."""
    end = re.compile(r"\S+").match(text, start)
    edge = end.end() - begin if end else 0
    for row in reversed(rows):
        if row[:2].isspace():
            over = row[:edge] if not row[edge : edge + 2].strip() else ""
            return over.rpartition("  ")[2] if over[-1:].strip() else ""
    return ""


_VERDICTS = frozenset("ok pass passed fail failed success successful".split())


def branch(pattern: str, match: re.Match[str]) -> str:
    """What stood for the alternatives of a pattern (`failing|pending`); "" without any, or where more of it varies."""
    bare = re.sub(r"\((?!\?)[^()]*\)", "", re.sub(r"\\[^wSDW]", "", pattern))
    if "|" not in bare:
        return ""
    asked, count = re.subn(r"(?<!\\)\(\?:(?=(?:[\w ]+\|)+[\w ]+\)(?![*?+{]))", "(", pattern)
    if count and not re.search(r"\\[0-9]", pattern):  # another group would change what `\1` means
        return _chosen(re.compile(asked, re.MULTILINE), match)
    if re.search(r"[\\.\[]", bare):
        return ""
    text = f"{match.string[match.start() : match.start(1)]} # {match.string[match.end(1) : match.end()]}"
    return one_line(re.sub(r"\d+", "0", " ".join(text.split())), 160)


def _chosen(asked: re.Pattern[str], match: re.Match[str]) -> str:
    """What stood for the alternatives that say which number this is; units among them convert."""
    text, number = match.string, match.span(1)
    again = asked.match(text, match.start())
    places = [again.span(n) for n in range(1, asked.groups + 1)] if again else []
    words = [
        text[_word(text, begin) : end]
        for begin, end in places
        if begin >= 0 and (begin, end) != number and not _leads_on(text[begin:end], text[end : number[0]])
    ]
    return one_line(" ".join(word for word in words if not quantity.is_unit(word.strip())), 160)


def _word(text: str, place: int) -> int:
    """Where the word begins that a place is in: `entr(?:y|ies)`."""
    while place and text[place - 1].isalpha():
        place -= 1
    return place


def _leads_on(word: str, between: str) -> bool:
    """Whether a word before the number is not of it: `FAILED. 3 passed; 2 failed`, `Passed! - Failed: 2`."""
    return bool(re.search(r"\d", between)) or (
        word.strip().lower() in _VERDICTS and re.search(r"[^\W\d_]", between) is not None
    )
