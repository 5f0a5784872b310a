"""How a number was found at the baseline. Every later run must be read the same way."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..kernel.core.frozen import dataclass, names, replace
from ..kernel.core.text import one_line
from . import quantity, tells
from .quantity import Quantity

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

METRIC_LINE = "METRIC line"
JSON_KEY = "JSON key"
PATTERN = "pattern"
NUMBER = "number"
MEASURE = "measure of"  # not printed: what the run itself cost
_WORDS = 160  # characters of a line that are compared


@dataclass(frozen=True)
class Form:
    """The `kind` of place where the number stood, then what tells the place from others of its kind.

    `name` of the METRIC line, path of the JSON key, or label on a pattern's line (`Test Suites:`); `unit`; `notation`
    (groups, decimal comma); `words` around a lone number, or what stood for a pattern's alternatives; `line` "last" or
    "first" for a lone number that stands alone on its line, or the "column 2" of a table; `told` units elsewhere that
    speak of it, a table's head for instance; `tells` of trouble or a direction beside it (`tells.py`); `ended` whether
    its line had an end; `whole` is false for one of an earlier version that kept the kind alone.
    """

    kind: str = ""
    name: str = ""
    unit: str = ""
    notation: str = ""
    words: str = ""
    line: str = ""
    told: str = ""
    tells: str = ""
    ended: bool = True
    whole: bool = True

    def to_dict(self) -> dict[str, Any]:
        """What differs from the default, for `config.metric_form`."""
        blank = Form()
        return {name: getattr(self, name) for name in names(Form) if getattr(self, name) != getattr(blank, name)}

    def sentence(self) -> str:
        """How the number was read, for people: `METRIC line 'ms', unit ms`."""
        named = self.kind in (METRIC_LINE, JSON_KEY, MEASURE)
        place = repr(self.name) if named else f"in {self.words!r}" if self.kind == NUMBER else ""
        parts = [
            f"{self.kind} {place}" if place and (self.name or self.words) else self.kind,
            f"unit {self.unit}" if self.unit else "",
            self.notation,
            f"in {self.line}" if self.kind == PATTERN and self.line else f"on {_line(self.line)}" if self.line else "",
            f"told in {self.told}" if self.told else "",
        ]
        return ", ".join(part for part in parts if part)


def from_dict(data: Mapping[str, Any] | str) -> Form:
    """The form that a configuration holds; earlier versions kept the kind alone, as text."""
    if isinstance(data, str):
        return Form(kind=data, whole=False)
    texts: dict[str, Any] = {name: str(data[name]) for name in names(Form)[:-2] if name in data}
    return replace(Form(**texts), ended=bool(data.get("ended", True)))


def difference(found: Form, known: Form) -> str:
    """What keeps `found` from being read as `known` was, "" when nothing does; units are `converted`'s."""
    if found.kind != known.kind:
        return f"the metric came as a {found.kind}, at the baseline as a {known.kind}; print it in one way"
    if not known.whole:
        return ""
    spared = found.kind in (JSON_KEY, PATTERN)  # where an earlier version did not look
    for what, mine, theirs in (
        ("its label" if found.kind == PATTERN else "its name", _label(found, known), known.name),
        ("the text around it", "" if spared and not known.words else _text(found.words), _text(known.words)),
        ("its place", "" if spared and not known.line else _line(found.line), _line(known.line)),
        ("the unit printed beside it", found.told, known.told),
    ):
        if mine != theirs and (what not in _SPOKEN or _alike(mine) != _alike(theirs)):
            return (
                f"{what} was {_quoted(theirs)} at the baseline and is {_quoted(mine)} now, so this may be another "
                "number; print METRIC name=value to be read by name"
            )
    new = tells.added(found.tells, known.tells)
    told = f"the output says {_quoted(new)} beside the number, which it did not at the baseline"
    return f"{told}; print METRIC name=value where it counts all the same" if new else ""


def torn(found: Form, known: Form) -> str:
    """Whether the output breaks off where the number stands, which had a line's end behind it at the baseline."""
    if known.ended and not found.ended and known.whole:
        return "the output ends right behind the number, in the middle of a line; it may be cut short"
    return ""


_SPOKEN = ("its label", "the text around it")  # words of people, where one and many of a thing are the same


def _label(found: Form, known: Form) -> str:
    return "" if found.kind == PATTERN and not known.name else found.name


def _alike(text: str) -> str:
    """`text` with what tells one of a thing from many of it left off: `entries` and `entry`, `caches`, `IDs`."""
    return re.sub(r"(?<=[^\W\d_]{2})(?:(?<=[^aeiou])(?:ies|ie|y)|es|(?<!s)s|e)(?![^\W\d_])", "", text)


def _line(line: str) -> str:
    return line if not line or line.startswith("column") else f"the {line} line"


def _text(words: str) -> str:
    """The words around a number; what ends a sentence is no word."""
    return words.rstrip(" .,:;!")


def _quoted(text: str) -> str:
    return repr(one_line(text, 70)) if text else "nothing"


def fitted(found: Quantity, known: Form) -> Quantity:
    """The number in the baseline's unit; raises `Refusal` where the units do not convert."""
    return Quantity(quantity.converted(found, known.unit), known.unit, found.notation)


def words_of(line: str, start: int, stop: int) -> str:
    """The words of a line without the number from `start` to `stop`, so that one and many of a thing look the same."""
    mark = line[:start] + " # " + line[stop:]
    folded = [_singular(word) for word in mark.split()]
    text = " ".join(folded)
    return "" if text == "#" else one_line(text, _WORDS)


# How grave a line is, which changes where the last failure goes: `[ERROR] Tests run:`, `[INFO] Tests run:`.
_LEVEL = r"(?i)^[ \t]*(?:\[(?:info|error|warn|warning|debug)\]|(?:info|error|warn|warning|debug):)"


def label(line: str) -> str:
    """What a line calls itself, where it begins with plain words and a colon, or with a word in brackets."""
    bare = re.sub(_LEVEL, "", line)
    found = re.match(r"[ \t]*(?:((?:[A-Za-z]+[ \t]+){0,3}[A-Za-z]+)[ \t]*:(?!//)|\[[ \t]*([A-Za-z]+)[ \t]*\])", bare)
    return " ".join(map(_singular, (found[1] or found[2]).split())) if found else ""


_MANY = {"are": "is", "were": "was", "have": "has"}


def _singular(word: str) -> str:
    bare = word.rstrip(".,;:!)")
    tail = word[len(bare) :]
    if bare in _MANY:
        return _MANY[bare] + tail
    if re.fullmatch(r"[A-Za-z]{3,}(?:ch|sh|ss|x)es", bare):
        return bare[:-2] + tail
    if re.fullmatch(r"[A-Za-z]{3,}[^sS\W\d_]s", bare):
        return bare[:-1] + tail
    return word


_HEADS = r"(?i)[(\[]\s*(?:[^()\[\]\n]{0,40}\bin\s+|time,?\s+)?([^\W\d_/%]{1,12}|%)\s*[)\]]"


def units_told(text: str, line: str, spans: list[tuple[int, int]]) -> str:
    """Units that the output tells in brackets (`Name (time in us)`), and loose ones on the number's own `line`.

    `spans` are the places of the line that hold numbers with their own units.
    """
    heads = re.finditer(_HEADS, text) if "(" in text or "[" in text else ()
    found = {m[1] for m in heads if quantity.is_unit(m[1]) and len(m[1]) > 1}
    rest = line
    for start, stop in reversed(spans):
        rest = rest[:start] + " " + rest[stop:]
    if re.search(r"[^\W\d_][ \t]*%[ \t]*[:=]", rest):
        found.add("%")  # `Coverage %: 80`
    loose = {word for word in re.findall(r"[^\W\d_]+(?:/\w+)?", rest) if len(word) > 1 and quantity.is_unit(word)}
    return " ".join(sorted({*found, *(loose - _COMMON)}))


# Units that are common words too: somewhere in a line they tell nothing.
_COMMON = frozenset("it op ops bit bits seconds second minutes minute hours hour bytes byte tokens token tok".split())
