from __future__ import annotations

from decimal import Decimal as D

import pytest
from autoresearch.report import figures


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [
        ("984740", "0", "984,740"),
        ("-1234.5", "0", "−1,234.5"),
        ("0", "0", "0"),
        ("0.00512", "0", "0.00512"),
        ("380.44449", "2.5", "380.4"),
        ("380.44449", "0.031", "380.444"),
        ("38044", "250", "38,044"),
        ("1e60", "0", "1.000000e+60"),
    ],
)
def test_numbers_are_as_fine_as_the_noise_allows(value: str, spread: str, text: str) -> None:
    assert figures.number(D(value), D(spread)) == text


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("984740", "115512", "−88.3 %"),
        ("400", "400.08", "+0.02 %"),
        ("400", "400", "±0 %"),
        ("0", "7", "+7"),
        ("0", "0", "±0"),
        ("-10", "-5", "+50.0 %"),
        ("2", "200", "+9,900 %"),
    ],
)
def test_changes(old: str, new: str, text: str) -> None:
    assert figures.change(D(old), D(new)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.004, "4 ms"),
        (4.21, "4.2 s"),
        (14.3, "14 s"),
        (725, "12 min"),
        (18720, "5 h 12 min"),
        (280000, "3 d 5 h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert figures.duration(seconds) == text
