"""Outputs of real tools, changed as runs, terminals and pipes change them: never a silent other number."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from autoresearch.formats import format_reader
from autoresearch.reading.printed import Reading, Source

from tests.formats.test_formats import CASES, OUTPUTS

NUMBERS = [case for case in CASES if re.fullmatch(r"[\d.]+", case[3])]
Change = Callable[[str, random.Random], str]


def cut(text: str, rng: random.Random) -> str:
    """The output of a run that was ended, or of a pipe that broke."""
    return text[: rng.randrange(len(text))]


def beginning_lost(text: str, rng: random.Random) -> str:
    """What `tail` leaves."""
    return text[rng.randrange(len(text)) :]


def cut_in_the_middle(text: str, rng: random.Random) -> str:
    """What evidence keeps of a long output."""
    first, second = sorted((rng.randrange(len(text)), rng.randrange(len(text))))
    return f"{text[:first]}\n[… {second - first} bytes cut …]\n{text[second:]}"


def lines_lost(text: str, rng: random.Random) -> str:
    """Some lines are gone, as where two programs write into one file; told by the totals that most tools write."""
    lines = text.split("\n")
    kept = [line for line in lines if rng.random() > 2 / len(lines)]
    return "\n".join(kept)


def coloured(text: str, rng: random.Random) -> str:
    """Colours around words, as tools print them for a terminal."""
    return re.sub(
        r"[\w.]+", lambda m: f"\x1b[1;3{rng.randrange(8)}m{m[0]}\x1b[0m" if rng.random() < 0.2 else m[0], text
    )


def other_line_ends(text: str, rng: random.Random) -> str:
    """Windows' line ends, and a byte order mark."""
    return ("\ufeff" if rng.random() < 0.5 else "") + text.replace("\n", "\r\n")


def words_before(text: str, rng: random.Random) -> str:
    """A tool's notes before the document, with numbers of their own."""
    return f"{rng.choice(('warning: 3 files', '{}', '[]', '> build 1.2.3', 'METRIC x=1'))}\n{text}"


def shuffled(text: str, rng: random.Random) -> str:
    """The parts in another order: entries of JSON, else lines."""
    try:
        return json.dumps(mixed(json.loads(text, parse_float=Exact), rng), default=str)
    except ValueError:
        lines = text.split("\n")
        rng.shuffle(lines)
        return "\n".join(lines)


def commas(text: str, rng: random.Random) -> str:
    """Decimal commas, or thousands in groups, as other locales print them."""
    if rng.random() < 0.5:
        return re.sub(r"(?<=\d)\.(?=\d)", ",", text)
    return re.sub(
        r"(?<![\d.])(\d{1,3})(\d{3})(?![\d])", rng.choice((r"\1,\2", r"\1 \2", r"\1.\2", "\\1\u202f\\2")), text
    )


class Exact(float):
    """A float that is written as it was read."""

    def __new__(cls, text: str) -> Exact:
        made = super().__new__(cls, text)
        made.text = text
        return made

    text: str

    def __repr__(self) -> str:
        return self.text


def mixed(value: Any, rng: random.Random) -> Any:
    """A JSON value with its objects' keys in another order, and the entries of lists of objects."""
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: mixed(value[key], rng) for key in keys}
    if isinstance(value, list):
        items = [mixed(item, rng) for item in value]
        if all(isinstance(item, dict) for item in items):
            rng.shuffle(items)
        return items
    return value


def read(case: list[str], text: str, known: Reading | None = None) -> Reading:
    """What is read of an output, of a later run where the baseline's reading is `known`."""
    source = Source(key=case[2], form=known.form) if known else Source(key=case[2])
    return format_reader.read(case[1], text, source)


# Outputs without totals of their own: a whole line less leaves no trace there.
NO_TOTALS = ("go-count3.txt", "go-mem.txt", "gcc.lcov", "node-junit.xml")
CHANGES = (
    cut,
    beginning_lost,
    cut_in_the_middle,
    coloured,
    other_line_ends,
    words_before,
    shuffled,
    commas,
    lines_lost,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("case", NUMBERS, ids=lambda case: f"{case[0]} {case[2]}")
def test_a_changed_output_gives_the_same_number_or_none(case: list[str], change: Change):
    if change is lines_lost and case[0] in NO_TOTALS:
        return
    text = (OUTPUTS / case[0]).read_text("utf-8")
    baseline = read(case, text)
    for seed in range(25):
        new = change(text, random.Random(seed))
        for known in (None, baseline):
            found = read(case, new, known)
            assert found.value in (None, Decimal(case[3])), (seed, found, new[-300:])


UNITS = [("ns", "us", 1000), ("ns", "ms", 10**6), ("ns", "s", 10**9), ("ms", "s", 1000)]


def units_changed() -> Iterator[tuple[list[str], str, str, int]]:
    """Cases whose output names its unit, with another one that is so many times as large."""
    for case in NUMBERS:
        if case[1] in ("go", "libtest", "criterion", "google-benchmark"):
            yield from ((case, old, new, worth) for old, new, worth in UNITS if old == "ns")


@pytest.mark.parametrize(("case", "old", "new", "worth"), list(units_changed()))
def test_another_unit_is_converted_or_refused(case: list[str], old: str, new: str, worth: int):
    text = (OUTPUTS / case[0]).read_text("utf-8")
    other = re.sub(rf'(?<=[\d"/ ]){old}(?=[\]\s"/])', new, text)
    baseline = read(case, text)
    if other != text and baseline.value is not None and baseline.form.unit == old:
        found = read(case, other, baseline)
        assert found.value is None or found.value == baseline.value * worth, found
