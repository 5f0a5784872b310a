"""Numbers as programs print them: where they stand in a text, whole, with their unit and their notation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Context, Decimal
from itertools import islice

from ..kernel.core import numbers
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass

COMMA_GROUPS = "digits grouped by commas"
DECIMAL_COMMA = "decimal comma"
GROUPS = "digits grouped by blanks or apostrophes"

_BLANKS = "\u00a0\u202f\u2009'\u2019"
_SIGNS = "-+\u2212\u2013\u00b1"  # the hyphen first, where a set of characters takes it as it is
_BODY = rf"(?:[0-9]+(?:[.,_{_BLANKS}][0-9]+)*|\.[0-9]+)"
_CORE = re.compile(rf"[{_SIGNS}]?{_BODY}(?:\.(?![\w.]))?(?:[eE][+\u2212-]?[0-9]+)?")
# Texts, not compiled: few outputs need them, and every command would pay for it.
_NOT_FINITE = r"(?i)(?<![\w.])[+\u2212-]?(?:nan|inf|infinity)(?!\w)"
_PATH = r"(?<![\w./~@+-])(?![0-9+-])[\w.@+~-]*/[\w.@+~/-]*"
_FOREIGN_DIGIT = r"(?![0-9])\d"
_SUFFIX = re.compile(r"(?:%|[^\W\d_][\w]*|/)(?:/[\w]+)?(?![\w])")

# What a unit is worth in the first of its kind. Kilobytes are of 1000 bytes for some and of 1024 for others, so they
# convert into nothing; a program that changes from kB to MB is asked to keep to one.
_WORTH: dict[str, tuple[str, Decimal]] = {
    **{
        name: ("time", Decimal(worth))
        for names, worth in (
            ("ns nsec nsecs nanos nanosecond nanoseconds", "1e-9"),
            ("us usec usecs micros \u00b5s \u03bcs microsecond microseconds", "1e-6"),
            ("ms msec msecs millis millisecond milliseconds", "1e-3"),
            ("s sec secs second seconds", "1"),
            ("min mins minute minutes", "60"),
            ("h hr hrs hour hours", "3600"),
        )
        for name in names.split()
    },
    **{
        name: ("bytes", Decimal(1024**power))
        for power, names in enumerate(("B byte bytes", "KiB", "MiB", "GiB", "TiB"))
        for name in names.split()
    },
}
_UNITS = frozenset(
    [
        *_WORTH,
        *"kB KB MB GB TB kb Kb Mb Gb kbit Mbit Gbit bit bits k K M G T Ki Mi Gi KB/s x % \u2030 ppm m d".split(),
        *"Hz kHz MHz GHz dB W mW J mJ kJ V A px pt FLOPS GFLOPS TFLOPS fps rps qps ops op it req tok tokens".split(),
        *"instructions cycles".split(),
        *(prefix + name for prefix in "KkMGT" for name in "bit bits bytes Bytes Byte ops rps".split()),
    ]
)
_PER = frozenset("s sec secs second min minute h hr hour op iter iteration step call req request tick frame".split())
_MORE_THAN_SECONDS = r"[0-9]\s*(?:d|days?|h|hrs?|hours?|m|mins?|minutes?)[ ,]*\Z"
_BOUNDS = "~\u2248\u2264\u2265"
_MARGIN = rf"[ \t]*(?:\u00b1|\+/?-)[ \t]*{_BODY}(?:[eE][+-]?[0-9]+)?"
_ROUND = Context(prec=28)


@dataclass(frozen=True)
class Quantity:
    """A number that was read: its value, unit ("" without), and notation ("" for a plain decimal)."""

    value: Decimal
    unit: str = ""
    notation: str = ""


@dataclass(frozen=True)
class NumberSpot:
    """Where a number stands: its digits from `start` to `end`, the unit up to `stop`, and why it is unreadable."""

    start: int
    end: int
    stop: int
    unit: str = ""
    odd: str = ""


MOST = 1000  # numbers of one output that are looked at: nobody means one of so many


def is_unit(text: str) -> bool:
    """Whether `text` is a unit that we know, one per something included (`ns/iter`)."""
    name, _, per = text.partition("/")
    return name in _UNITS or per in _PER


def spots(text: str) -> list[NumberSpot]:
    """Every number in `text`, readable or not; digits within words and paths (`v2`, `sha256`, `src/a1`) are none."""
    masked = re.sub(_PATH, lambda match: re.sub("[0-9]", "a", match[0]), text) if "/" in text else text
    found: list[NumberSpot] = []
    if re.search("[Nn][Aa][Nn]|[Ii][Nn][Ff]", text):
        found += _odd_spots(_NOT_FINITE, masked, "not a finite decimal")
    if not text.isascii():
        found += _odd_spots(_FOREIGN_DIGIT, text, "not in the digits 0 to 9")
    return sorted([*found, *islice(_decimal_spots(masked), MOST)], key=lambda spot: spot.start)


def _odd_spots(pattern: str, text: str, odd: str) -> list[NumberSpot]:
    return [NumberSpot(m.start(), m.end(), m.end(), odd=odd) for m in re.finditer(pattern, text)]


def _decimal_spots(text: str) -> Iterator[NumberSpot]:
    for match in _CORE.finditer(text):
        start, before = match.start(), text[max(0, match.start() - 2) : match.start()]
        signed = match[0][0] in _SIGNS
        if before and (before[-1].isalnum() or before[-1] == "_"):
            if not signed or not before[-1].isdigit():
                continue  # part of a word
        elif before[-1:] == "." and before[:1].isalnum():
            continue
        unit, stop = unit_after(text, match.end())
        yield NumberSpot(start, match.end(), stop, unit, _oddity(text, start, match.end(), unit, stop))


def unit_after(text: str, end: int) -> tuple[str, int]:
    """The unit behind a number: what touches it, or a known one after a single blank."""
    touching = _SUFFIX.match(text, end)
    if touching:
        return touching[0], touching.end()
    if text[end : end + 1] in (" ", "\u00a0", "\u202f"):
        beside = _SUFFIX.match(text, end + 1)
        if beside and is_unit(beside[0]):
            return beside[0], beside.end()
    return "", end


def shared_unit(text: str, end: int) -> str:
    """The unit behind a number, or behind the margin that goes with it (`12.3 \u00b1 0.4 ns/op`)."""
    margin = re.compile(_MARGIN).match(text, end)
    return unit_after(text, end)[0] or (unit_after(text, margin.end())[0] if margin else "")


def _oddity(text: str, start: int, end: int, unit: str, stop: int) -> str:
    before, after = text[max(0, start - 1) : start], text[stop : stop + 1]
    if text[start] in "\u00b1\u2013":
        return "marked with a sign that can mean several things"
    if before and (before in _SIGNS or before == "/" or before.isdigit()):
        return "part of a longer expression"
    if stop > end and not is_unit(unit):
        return f"followed by {unit[:12]!r}, which is no known unit"
    if after == "_" or (after.isalnum() and stop == end):
        return "part of a longer word"
    if after in tuple("/:-\u2013,._") and text[stop + 1 : stop + 2].isdigit():
        return "part of a longer expression"
    if before in tuple(":,._") and text[max(0, start - 2) : start - 1].isdigit():
        return "part of a longer expression"
    if unit in _WORTH and _WORTH[unit][0] == "time" and re.search(_MORE_THAN_SECONDS, text[max(0, start - 24) : start]):
        return "part of a longer time"
    return ""


def piece(text: str, start: int, end: int, covered: tuple[int, int]) -> str:
    """Why the number from `start` to `end` is only a piece of what stands there, "" for a whole one.

    `covered` is what a pattern matched around it: a colon or a blank in there was meant as a border.
    """
    head, tail = text[max(0, start - 24) : start], text[end : end + 24]
    bare = re.sub(f"^[{_SIGNS}]", "", text[start:end])
    blank_before = covered[0] >= start - 1 and re.match("[0-9]{3}(?![0-9])", bare)
    blank_after = covered[1] <= end + 1 and re.search(r"(?<![0-9.,])[0-9]{1,3}$", bare)
    before = (
        (rf"[{_SIGNS}]\Z|(?<![^\W\d_])\.\Z", "a sign or point touches it"),
        (rf"\d\Z|\d[.,_{_BLANKS}]\Z|[0-9.][eE]\Z", "digits go on before it"),
        (r"(?<!\w)[0-9.]+[^\W\d_]+\Z", "it is part of a longer expression"),
        (r"(?<![0-9])[0-9]{1,3} \Z" if blank_before else "", "the digits before may belong to it"),
        (r"[0-9]:\Z" if covered[0] >= start else "", "it is part of a longer expression"),
        (rf"(?<![^\s(=:])[<>]=?\Z|\S[ \t]+[<>]=?[ \t]*\Z|[{_BOUNDS}] ?\Z", "the sign before it makes it a bound"),
    )
    after = (
        (rf"\d|[.,_{_BLANKS}]\d|[eE][+\u2212-]?[0-9]", "digits go on after it"),
        (r"[^\W\d_]+[0-9]", "it is part of a longer expression"),
        (r" [0-9]{3}(?![0-9.])" if blank_after else "", "the digits after may belong to it"),
        (r":[0-9]" if covered[1] <= end else "", "it is part of a longer expression"),
        (r"\+(?!\w)", "the sign behind it makes it a bound"),
    )
    found = [why for pattern, why in before if pattern and re.search(pattern, head)]
    found += [why for pattern, why in after if pattern and re.match(pattern, tail)]
    unit = unit_after(text, end)[0]
    if _WORTH.get(unit, ("",))[0] == "time" and covered[0] >= start - 1 and re.search(_MORE_THAN_SECONDS, head):
        found.append("it is part of a longer time")
    return found[0] if found else ""


def read(text: str, notation: str = "") -> Quantity:
    """`text` as one number with its unit, by the `notation` that is known of it.

    Raises `Refusal` whose message says what is wrong with it.
    """
    text = text.strip(" \t\n\u00a0\u202f\u2009")
    match = _CORE.match(text)
    if match is None:
        raise Refusal(f"{_shown(text)} is not a finite decimal")
    unit, stop = unit_after(text, match.end())
    odd = _oddity(text, 0, match.end(), unit, stop) or ("followed by more than a unit" if stop != len(text) else "")
    if odd:
        raise Refusal(f"{_shown(text)} is not a finite decimal ({odd})")
    value, seen = _value(match[0], notation)
    return Quantity(value, unit, seen)


def _value(text: str, known: str) -> tuple[Decimal, str]:
    plain, exponent = text.replace("\u2212", "-"), ""
    split = re.search("[eE]", plain)
    if split:
        plain, exponent = plain[: split.start()], plain[split.start() :]
    plain = plain[:-1] if plain.endswith(".") else plain
    digits, seen = _ungrouped(plain, known)
    if known and seen and seen != known and not (known == DECIMAL_COMMA and seen == GROUPS and "," in plain):
        raise Refusal(f"{_shown(text)} has {seen}, at the baseline it was {known}")
    if known == DECIMAL_COMMA and "." in plain and seen != known:
        raise Refusal(f"{_shown(text)} has a decimal point, at the baseline it was a {known}")
    try:
        return numbers.parse(digits + exponent), known or seen
    except Refusal:
        raise Refusal(f"{_shown(text)} is not a finite decimal") from None


_GROUPED = rf"([+-]?)([1-9][0-9]{{0,2}}(?:([{_BLANKS}])[0-9]{{3}})(?:\3[0-9]{{3}})*)(?:[.,]([0-9]+))?"
_COMMAS = r"([+-]?)([1-9][0-9]{0,2}(?:,[0-9]{3})+)(\.[0-9]+)?"
_POINTS = r"([+-]?)([1-9][0-9]{0,2}(?:\.[0-9]{3})+),([0-9]+)"
_ONE_COMMA = r"([+-]?[0-9]+),([0-9]+)"


def _ungrouped(text: str, known: str) -> tuple[str, str]:
    """Digits with a decimal point, and the notation they were in; raises `Refusal` where it can mean two things."""
    if text.lstrip("+-").replace(".", "", 1).isdigit():
        return text, ""
    one, many = re.fullmatch(_ONE_COMMA, text), re.fullmatch(_COMMAS, text)
    if one and many and not known:
        raise Refusal(f"{text!r} can be {text.replace(',', '')} or {text.replace(',', '.')}; print it without a comma")
    if (many and known != DECIMAL_COMMA) or (many and not one):
        return text.replace(",", ""), COMMA_GROUPS
    if one:
        return f"{one[1]}.{one[2]}", DECIMAL_COMMA
    points = re.fullmatch(_POINTS, text)
    if points:
        return f"{points[1]}{points[2].replace('.', '')}.{points[3]}", DECIMAL_COMMA
    grouped = re.fullmatch(_GROUPED, text)
    if grouped:
        whole = re.sub(f"[{_BLANKS}]", "", grouped[2])
        return f"{grouped[1]}{whole}" + (f".{grouped[4]}" if grouped[4] else ""), GROUPS
    return text, ""


def converted(found: Quantity, unit: str) -> Decimal:
    """The value in another `unit`; raises `Refusal` where the two do not measure the same for certain."""
    if found.unit == unit:
        return found.value
    mine, theirs = found.unit.partition("/"), unit.partition("/")
    from_, to = _WORTH.get(mine[0]), _WORTH.get(theirs[0])
    if from_ is None or to is None or from_[0] != to[0] or mine[2] != theirs[2]:
        raise Refusal(
            f"the unit was {unit or 'none'!r} at the baseline and is {found.unit or 'none'!r} now; print it in one unit"
        )
    return _ROUND.divide(_ROUND.multiply(found.value, from_[1]), to[1])


def _shown(text: str) -> str:
    from ..kernel.core.text import one_line

    return repr(one_line(text, 40))
