"""Stop conditions: sentences or comparisons turned into one test on the retained metric."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal

from . import numbers
from .errors import Refusal
from .frozen import dataclass

_TESTS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
}
# Longest phrases first: "no more than" must win over "more than". {} stands for the number.
_PHRASES = (
    (
        "<=",
        r"<=|=<|≤|at most|no more than|not more than|no greater than|no higher than|not above|not over|up to"
        r"|maximum(?: of)?|max",
    ),
    (
        ">=",
        r">=|=>|≥|at least|no less than|not less than|no fewer than|no lower than|not below|not under"
        r"|minimum(?: of)?|min",
    ),
    ("<", r"<|below|under|less than|fewer than|lower than|smaller than"),
    (">", r">|above|over|more than|greater than|higher than|larger than|exceeds|exceed"),
    ("==", r"==|=|equal to|equals|exactly"),
)
_AFTER = ((r"or (?:less|fewer|lower|below|under)", "<="), (r"or (?:more|above|higher|greater|better)", ">="))
_WORDS = dict(zip("zero one two three four five six seven eight nine ten".split(), map(Decimal, range(11))))
_NUMBER = r"(?<![\w.])[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:e[+-]?[0-9]+)?(?![0-9_]|\.[0-9])"
_BARE = re.compile(
    r"\b(?:reach(?:es|ed)?|hits?|gets? to|drops? to|falls? to|rises? to|down to|is|at|to|becomes?|until)\b"
)
_DOUBT = re.compile(r"\b(?:not|never|unless|except|and|or|but|n't)\b")


@dataclass(frozen=True)
class Condition:
    """`metric OP bound`."""

    op: str
    bound: Decimal

    def holds(self, metric: Decimal) -> bool:
        """Whether the retained metric satisfies the condition."""
        return _TESTS[self.op](metric, self.bound)

    def __str__(self) -> str:
        return f"{self.op} {numbers.plain(self.bound)}"


def parse(sentence: str, direction: str) -> Condition:
    """Understand a stop condition; raises `Refusal` rather than ignoring what it cannot read."""
    text = " ".join(sentence.lower().split())
    bound, rest = _bound(text)
    for pattern, op in _AFTER:
        if re.search(pattern, rest):
            return _checked(op, bound, re.sub(pattern, " ", rest), sentence)
    for op, pattern in _PHRASES:
        match = re.search(rf"(?<![\w<>=])(?:{pattern})(?=\s*#)", rest)
        if match:
            return _checked(op, bound, rest[: match.start()] + " " + rest[match.end() :], sentence)
    if rest.strip(" .%#") and not _BARE.search(rest):
        raise _unclear(sentence)
    return _checked("<=" if direction == "lower" else ">=", bound, rest, sentence)


def _bound(text: str) -> tuple[Decimal, str]:
    """The one number of the sentence, and the sentence with `#` in its place."""
    words = r"\b(?:" + "|".join(_WORDS) + r")\b"
    found = list(re.finditer(f"{_NUMBER}|{words}", text))
    if len(found) != 1:
        raise _unclear(text)
    token = found[0].group()
    value = _WORDS[token] if token in _WORDS else numbers.parse(token, "stop condition")
    return value, text[: found[0].start()] + "#" + text[found[0].end() :]


def _checked(op: str, bound: Decimal, rest: str, sentence: str) -> Condition:
    if _DOUBT.search(rest) or re.search(r"[<>=≤≥]", rest):
        raise _unclear(sentence)
    return Condition(op, bound)


def _unclear(sentence: str) -> Refusal:
    return Refusal(
        f"stop condition {sentence[:60]!r} is not understood, expected one comparison with one number"
        " such as '<= 3', 'at least 90' or 'stop when metric reaches zero'; rephrase it"
    )
