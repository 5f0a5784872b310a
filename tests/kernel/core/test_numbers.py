"""Exact decimals: what is a number, how it prints, what a difference is."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from autoresearch.kernel.core import numbers
from autoresearch.kernel.core.errors import Refusal
from hypothesis import given
from hypothesis import strategies as st

ACCEPTED = st.builds(
    lambda sign, digits, point: Decimal((sign, digits, point)),
    st.integers(0, 1),
    st.lists(st.integers(0, 9), min_size=1, max_size=60).map(tuple),
    st.integers(-100, 41),
)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("47", "47"),
        ("-5e-3", "-0.005"),
        ("+8", "8"),
        ("0.10", "0.1"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1E2", "100"),
        ("-0.0", "0"),
        ("0e9", "0"),
        ("0e9999", "0"),
        ("007", "7"),
        (" 12\n", "12"),
        ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        ("1e100", "1" + "0" * 100),
        ("1e-100", "0." + "0" * 99 + "1"),
    ],
)
def test_numbers(text: str, printed: str):
    assert numbers.plain(numbers.parse(text)) == printed


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "-",
            "nan",
            "NaN",
            "-inf",
            "Infinity",
            "1_000",
            "0x10",
            "1,5",
            "1 2",
            "1e",
            "e5",
            ".",
            "--1",
            "1.2.3",
        ),
        *("½", "٣", "１", "4a", "$(echo 1)", "1\n2", "1\x00", "1e99999", "1e101", "1e-101", "9" * 61, "0." + "1" * 61),
    ],
)
def test_anything_else_is_refused_in_one_short_line(text: str):
    with pytest.raises(Refusal) as refused:
        numbers.parse(text, "metric")
    assert str(refused.value).startswith("metric ")
    assert "expected" in str(refused.value)
    assert len(str(refused.value)) < 200
    assert "\n" not in str(refused.value)


@given(ACCEPTED)
def test_every_accepted_number_reads_back_exactly(value: Decimal):
    printed = numbers.plain(value)
    assert numbers.is_number(printed)
    assert Decimal(printed) == value
    assert numbers.plain(Decimal(printed)) == printed
    assert not ("." in printed and printed.endswith(("0", ".")))


@given(ACCEPTED, ACCEPTED)
def test_differences_are_exact_and_signed(new: Decimal, old: Decimal):
    exact = Fraction(new) - Fraction(old)
    found = numbers.difference(new, old)
    assert Fraction(found) == exact
    sign = "+" if exact > 0 else "-" if exact < 0 else ""
    assert numbers.signed(found).startswith(sign)
    assert Fraction(Decimal(numbers.signed(found))) == exact
    assert numbers.signed(found)[0] in ("+-" if exact else "0")


@given(ACCEPTED, ACCEPTED, st.sampled_from(["lower", "higher"]))
def test_better_is_strict_and_agrees_with_the_gain(new: Decimal, old: Decimal, direction: str):
    assert numbers.better(direction, new, old) == (numbers.gain(direction, new, old) > 0)
    assert not (numbers.better(direction, new, old) and numbers.better(direction, old, new))


@given(st.text(max_size=20))
def test_any_text_is_a_number_or_a_refusal(text: str):
    try:
        value = numbers.parse(text)
    except Refusal:
        return
    assert value.is_finite()
    assert value == Decimal(text.strip())
