"""Metric extraction: exactly one finite decimal from what a check printed, or the reason why there is none.

Sources, first that applies: a `--metric-pattern` with one group; `METRIC name=value` lines; the last line's
JSON object; a sole number on stdout.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from . import jsontext, numbers
from .errors import Refusal
from .frozen import dataclass, field, replace
from .text import one_line

_LINE = re.compile(r"^METRIC[ \t]+([^\s=]+)[ \t]*=[ \t]*(\S+)[ \t]*\r?$", re.MULTILINE)
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True)
class Reading:
    """`value` is the metric, or None with `problem` saying why; `others` are further named numbers; `form` is how
    the metric came ("METRIC line", "JSON key", "number", "pattern")."""

    value: Decimal | None
    problem: str = ""
    others: Mapping[str, Decimal] = field(default_factory=dict)
    form: str = ""


@dataclass(frozen=True)
class Source:
    """How a run's metric is found: its name, an optional key, an optional pattern, and the form it had at the
    baseline ("" before that): a number in another form was printed by somebody else."""

    name: str = ""
    key: str = ""
    pattern: str = ""
    form: str = ""


def check_pattern(pattern: str) -> None:
    """Raise `Refusal` unless `pattern` compiles and has exactly one group."""
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise Refusal(
            f"metric pattern does not compile ({error}), expected a regular expression with one group"
        ) from None
    if groups != 1:
        raise Refusal(f"metric pattern has {groups} groups, expected exactly one around the number; add or remove some")


def extract(stdout: str, source: Source) -> Reading:
    """Read the metric from a check's output."""
    form, reading = _read(stdout, source)
    if reading.value is not None and source.form and form != source.form:
        return Reading(None, f"the metric came as a {form}, at the baseline as a {source.form}; print it in one way")
    return replace(reading, form=form)


def _read(stdout: str, source: Source) -> tuple[str, Reading]:
    if source.pattern:
        found = [str(found) for found in re.findall(source.pattern, stdout, re.MULTILINE)]
        return "pattern", _one(found, "matches of the pattern")
    lines = _LINE.findall(stdout)
    if lines:
        return "METRIC line", _named(lines, source)
    last = _last_object(stdout)
    if last is not None:
        return "JSON key", _named([(key, _json_text(value)) for key, value in last.items()], source)
    if source.key:
        return "number", Reading(None, f"no METRIC line or JSON object names {source.key!r}")
    return "number", _one([token for token in _tokens(stdout) if _is_candidate(token)], "numbers")


def _tokens(stdout: str) -> list[str]:
    # What only separates or encloses goes, so that "1," and "(2)" are counted as the numbers that people see.
    return [token.strip(",;:()[]{}") for token in stdout.split()]


def _is_candidate(text: str) -> bool:
    return numbers.is_number(text) or _NOT_FINITE.fullmatch(text) is not None


def _last_object(stdout: str) -> dict[str, object] | None:
    lines = stdout.rstrip().rsplit("\n", 1)
    if not lines[-1].lstrip().startswith("{"):
        return None
    try:
        # Many programs print NaN in JSON: it must be seen, or a number of an earlier line would be taken instead.
        value = jsontext.loads(lines[-1], constant=str)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _json_text(value: object) -> str:
    return "" if isinstance(value, (bool, dict, list)) or value is None else str(value)


def _named(pairs: list[tuple[str, str]], source: Source) -> Reading:
    """Pick the wanted name among `name=value` pairs; the other readable numbers come along."""
    names = [name for name, _ in pairs]
    wanted = source.key or (source.name if source.name in names else "")
    if not wanted:
        usable = [(name, value) for name, value in pairs if _is_candidate(value)]
        pairs = pairs if len(pairs) == 1 else usable
        if len(pairs) != 1:
            return Reading(
                None, f"{len(pairs)} candidates ({one_line(', '.join(names), 80)}); name one with --metric-key"
            )
        wanted = pairs[0][0]
    reading = _one([value for name, value in pairs if name == wanted], f"values named {wanted!r}")
    return Reading(reading.value, reading.problem, _others(pairs, wanted))


def _others(pairs: list[tuple[str, str]], wanted: str) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for name, value in pairs[:200]:
        if name != wanted:
            try:
                found[one_line(name, 64)] = numbers.parse(value)
            except Refusal:
                continue  # text, or no number that can be kept exactly
    return found


def _one(candidates: list[str], what: str) -> Reading:
    if len(candidates) != 1:
        return Reading(None, f"{len(candidates) or 'no'} {what} in the output, expected exactly one")
    try:
        return Reading(numbers.parse(candidates[0]))
    except Refusal:
        return Reading(None, f"{one_line(candidates[0], 40)!r} is not a finite decimal")
