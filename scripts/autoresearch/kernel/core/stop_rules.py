"""Stop conditions: sentences or comparisons turned into one test on the retained metric."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal

from . import numbers
from .errors import Refusal
from .frozen import dataclass
from .text import one_line

_TESTS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
}
# Longest phrases first: "no more than" must win over "more than"; "less than or equal to" over "equal to".
_PHRASES = (
    (
        "<=",
        r"<=|=<|≤",
        r"at most|(?:no|not) (?:more|greater|higher|larger) than|not (?:above|over)|maximum(?: of)?|max"
        r"|(?:less|fewer|lower|smaller) than or equal to",
    ),
    (
        ">=",
        r">=|=>|≥",
        r"at least|(?:no|not) (?:less|fewer|lower|smaller) than|not (?:below|under)|minimum(?: of)?|min"
        r"|(?:more|greater|higher|larger) than or equal to",
    ),
    ("<", "<", r"below|under|(?:less|fewer|lower|smaller) than"),
    (">", ">", r"above|over|(?:more|greater|higher|larger) than|exceeds?"),
    ("==", "==?", r"equal to|equals|exactly"),
)
# "#" stands for the number.
_TESTS_OF = tuple(
    (op, re.compile(rf"(?:(?<![<>=!])(?:{signs})|(?<!\w)(?:{words}))(?=\s*#)")) for op, signs, words in _PHRASES
)
_AFTER = re.compile(r"(?<=#).*?\bor (?:(less|fewer|lower|below|under)|(more|above|higher|greater)|better)\b")
_WORDS = dict(zip("zero one two three four five six seven eight nine ten".split(), map(Decimal, range(11))))
_NUMBER = r"(?<![\w.])[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:e[+-]?[0-9]+)?(?![0-9_]|\.[0-9]|x[0-9a-f]|k\b)"
_BARE = re.compile(
    r"\b(?:reach(?:es|ed|ing)?|hits?|gets? to|drops? to|falls? to|rises? to|down to|up to|is|at|to|becomes?|until)\b"
)
# What turns a comparison around, joins two, or makes the number something else than the bound.
_DOUBT = re.compile(
    r"\b(?:not|no|never|cannot|neither|nor|without|unless|except|and|or|but|while|as long as)\b|n['’]t\b"
    r"|\b(?:baseline|original|initial|starting|half|twice|double)\b|\bby #|#[- ]?(?:times|x|fold)\b"
    r"|\b(?:minus|negative|eleven|twelve|\w+teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty)\b"
    r"|\b(?:dozen|hundred|thousand|million|billion)\b|#[- ]?(?:iteration|trial|experiment|attempt|round)"
    r"|[<>=≤≥≠≈~]|[-+]\s*#"
)
# Beside a bare "is" or "reaches": a comparison that no phrase above could take.
_COMPARES = re.compile(
    r"\b(?:less|fewer|lower|below|under|smaller|more|above|over|higher|greater|larger|better|worse)\b"
)


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
    bare = "<=" if direction == "lower" else ">="
    found = [(op, pattern) for op, pattern in _TESTS_OF if pattern.search(rest)][:1]
    found += [(_after(match, bare), _AFTER) for match in [_AFTER.search(rest)] if match]
    for _, pattern in found:
        rest = pattern.sub(" ", rest)
    if not found and (_COMPARES.search(rest) or (rest.strip(" .%#") and not _BARE.search(rest))):
        raise _unclear(sentence)
    ops = {op for op, _ in found} or {bare}
    if len(ops) != 1 or _DOUBT.search(rest):
        raise _unclear(sentence)
    return Condition(ops.pop(), bound)


def _after(match: re.Match[str], bare: str) -> str:
    return "<=" if match[1] else ">=" if match[2] else bare


def _bound(text: str) -> tuple[Decimal, str]:
    """The one number of the sentence, and the sentence with `#` in its place."""
    words = r"\b(?:" + "|".join(_WORDS) + r")\b"
    found = list(re.finditer(f"{_NUMBER}|{words}", text))
    if len(found) != 1:
        raise _unclear(text)
    token = found[0].group()
    value = _WORDS[token] if token in _WORDS else numbers.parse(token, "stop condition")
    return value, text[: found[0].start()] + "#" + text[found[0].end() :]


def _unclear(sentence: str) -> Refusal:
    return Refusal(
        f"stop condition '{one_line(sentence, 60)}' is not understood, expected one comparison with one number"
        " such as '<= 3', 'at least 90' or 'stop when metric reaches zero'; rephrase it"
    )
