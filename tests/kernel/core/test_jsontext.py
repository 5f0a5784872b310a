"""JSON with exact decimals."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from autoresearch.kernel.core import jsontext
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALAR = st.none() | st.booleans() | st.integers() | TEXT | st.decimals(allow_nan=False, allow_infinity=False, places=5)
VALUE = st.recursive(SCALAR, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)


@given(VALUE, st.sampled_from([0, 2]))
def test_what_is_written_reads_back_equal(value: object, indent: int):
    written = jsontext.dumps(value, indent)
    assert jsontext.loads(written) == value
    assert json.loads(written, parse_float=Decimal) == value


@given(VALUE)
def test_a_compact_text_is_one_line_for_every_reader(value: object):
    assert len(jsontext.dumps(value).splitlines()) == 1


def test_decimals_are_written_digit_for_digit():
    assert jsontext.dumps({"a": Decimal("0.1"), "b": [Decimal("41.50"), Decimal("1E+2")]}) == (
        '{"a": 0.1, "b": [41.5, 100]}'
    )
    assert jsontext.loads("[0.1, 1e-7, 5]") == [Decimal("0.1"), Decimal("1E-7"), 5]
    assert jsontext.dumps([Decimal("NaN"), Decimal("Infinity")]) == "[null, null]"


def test_indented_text_is_what_the_standard_module_writes():
    value = {"a": {"b": [1, {"c": None}], "d": {}, "e": []}, "f": "g"}
    assert jsontext.dumps(value, 2) == json.dumps(value, indent=2)


def test_half_a_character_does_not_reach_a_file():
    assert jsontext.dumps({"a\ud83d": "b\udc00"}).encode() == b'{"a?": "b?"}'


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", '{"a": Infinity}', "-Infinity", "[" * 200_000, "1e" + "9" * 30, "nul", "[1,]", "'a'"]
)
def test_what_is_no_json_is_a_value_error(text: str):
    with pytest.raises(ValueError):
        jsontext.loads(text)


def test_a_caller_may_look_at_what_is_no_number():
    assert jsontext.loads('{"a": NaN, "b": -Infinity}', constant=str) == {"a": "NaN", "b": "-Infinity"}
