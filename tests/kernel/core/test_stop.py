"""Stop conditions: every documented phrase is understood, and what is not understood is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from autoresearch.kernel.core import stop_rules
from autoresearch.kernel.core.errors import Refusal
from hypothesis import given
from hypothesis import strategies as st

UNDERSTOOD = {
    "<= 3": "<= 3",
    "=< 3": "<= 3",
    "≤3": "<= 3",
    "errors<=3": "<= 3",
    "at most 3": "<= 3",
    "no more than 5": "<= 5",
    "not more than 5": "<= 5",
    "no greater than 5": "<= 5",
    "not above 5": "<= 5",
    "max 5": "<= 5",
    "a maximum of 5": "<= 5",
    "less than or equal to 5": "<= 5",
    "3 or less": "<= 3",
    "3 errors or fewer": "<= 3",
    ">= 90": ">= 90",
    "≥ 90": ">= 90",
    "coverage>=90%": ">= 90",
    "at least 90": ">= 90",
    "stop once coverage is at least 90%": ">= 90",
    "no less than 90": ">= 90",
    "not below 90": ">= 90",
    "minimum 90": ">= 90",
    "greater than or equal to 90": ">= 90",
    "90 or more": ">= 90",
    "at least 90 or more": ">= 90",
    "p95 below 120": "< 120",
    "below 120 ms": "< 120",
    "under 1.5": "< 1.5",
    "less than .5": "< 0.5",
    "fewer than ten errors": "< 10",
    "< -5e-3": "< -0.005",
    "loss<-0.5": "< -0.5",
    "> 0.9": "> 0.9",
    "above 90": "> 90",
    "more than one": "> 1",
    "score exceeds 7": "> 7",
    "== 0": "== 0",
    "= 0": "== 0",
    "exactly 4": "== 4",
    "equal to 4": "== 4",
    "  Stop  when\tCOUNT is AT MOST two. ": "<= 2",
}
BARE = (
    "stop when metric reaches zero",
    "reaches 0",
    "Errors reach 0",
    "until 0",
    "until it drops to 0",
    "gets to 0, then stop",
    "goes up to zero",
    "metric is 0",
    "hits 0",
    "0",
    "0%",
    "0 or better",
    "complexity reaches 0",
)
REFUSED = (
    "",
    "until it is good enough",
    "stop when done",
    "zero errors",
    "nan",
    "reaches infinity",
    "between 3 and 5",
    "3-5",
    "at least 90 of 100",
    "below 5, at least 3",
    "two or three",
    "not 5",
    "never below 5",
    "does not exceed 5",
    "doesn't exceed 5",
    "doesn’t exceed 5",
    "isn't below 5",
    "no longer above 5",
    "while above 5",
    "as long as it is below 5",
    "unless at most 5",
    "below 5 and green",
    "below 5 or timed out",
    "less than 5 or more",
    "below 3 or less",
    "!= 3",
    "<> 3",
    "≠ 3",
    "~3",
    "3 >= metric",
    "reaches 1_000",
    "<= 0x10",
    "<= 1,000",
    "<= 5k",
    "<= 1.2.3",
    "reaches one hundred",
    "reaches twenty one",
    "reaches minus five",
    "reaches - 5",
    "drops by 10",
    "reaches half of 10",
    "drops to 50% of the baseline",
    "is 10% lower",
    "is 3 times faster",
    "stop at 10 iterations",
    "1e99999",
)


@pytest.mark.parametrize("direction", ["lower", "higher"])
@pytest.mark.parametrize("sentence", UNDERSTOOD)
def test_a_comparison_means_the_same_in_both_directions(sentence: str, direction: str):
    assert str(stop_rules.parse(sentence, direction)) == UNDERSTOOD[sentence]


@pytest.mark.parametrize(("direction", "op"), [("lower", "<="), ("higher", ">=")])
@pytest.mark.parametrize("sentence", BARE)
def test_a_bare_number_is_a_bound_in_the_direction_of_the_run(sentence: str, direction: str, op: str):
    assert stop_rules.parse(sentence, direction) == stop_rules.Condition(op, Decimal(0))


@pytest.mark.parametrize("direction", ["lower", "higher"])
@pytest.mark.parametrize("sentence", REFUSED)
def test_what_cannot_be_understood_is_refused_with_an_example(sentence: str, direction: str):
    with pytest.raises(Refusal) as refused:
        stop_rules.parse(sentence, direction)
    assert "expected" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("op", "holds"),
    [
        ("<=", (True, True, False)),
        ("<", (True, False, False)),
        (">=", (False, True, True)),
        (">", (False, False, True)),
        ("==", (False, True, False)),
    ],
)
def test_each_comparison_at_its_border(op: str, holds: tuple[bool, ...]):
    condition = stop_rules.Condition(op, Decimal("0.3"))
    assert tuple(condition.holds(Decimal(text)) for text in ("0.29999", "0.30", "0.30001")) == holds


@given(st.text(max_size=60))
def test_no_sentence_breaks_the_reader(sentence: str):
    try:
        stop_rules.parse(sentence, "lower")
    except Refusal as refused:
        assert len(str(refused)) < 300


@given(st.sampled_from(sorted(UNDERSTOOD)), st.decimals(-1000, 1000, allow_nan=False, places=3))
def test_a_condition_reads_back_from_its_own_words(sentence: str, bound: Decimal):
    condition = stop_rules.Condition(stop_rules.parse(sentence, "lower").op, bound)
    assert stop_rules.parse(str(condition), "higher") == condition
