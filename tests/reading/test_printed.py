"""Metric extraction: exactly one finite decimal from each source, or the reason why there is none."""

from __future__ import annotations

from decimal import Decimal

import pytest
from autoresearch.kernel.core.errors import Refusal
from autoresearch.reading import printed
from autoresearch.reading.form import from_dict
from autoresearch.reading.printed import Source
from hypothesis import example, given
from hypothesis import strategies as st

FOUND = [
    # A sole number on stdout.
    ("47\n", Source(), "47"),
    ("  47  ", Source("errors"), "47"),
    ("errors: -5e-3\n", Source(), "-0.005"),
    ("Found 47.\n", Source(), "47"),
    ("total (47)", Source(), "47"),
    ("python3 v2 utf-8 sha256 src/a1/b2.py 47", Source(), "47"),
    # METRIC lines.
    ("METRIC errors=47\n", Source(), "47"),
    ("METRIC errors=47\r\n", Source("errors"), "47"),
    ("METRIC  errors = 47 ", Source("errors"), "47"),
    ('12 13\nMETRIC errors=47\n{"errors": 1}', Source(), "47"),
    ("METRIC a=1\nMETRIC b=2", Source("b"), "2"),
    ("METRIC a=1\nMETRIC b=2", Source("a", "b"), "2"),
    ("METRIC a=1\nMETRIC host=blue", Source("errors"), "1"),
    # The last line's JSON object.
    ('1 2 3\n{"errors": 47}\n', Source(), "47"),
    ('{"errors": 1}\n{"errors": 0.1}\n\n', Source("errors"), "0.1"),
    ('{"a": 1, "b": "2"}', Source("", "b"), "2"),
    ('{"a": 1, "host": "blue", "ok": true, "more": {"b": 2}, "none": null}', Source(), "1"),
    ('{"t": NaN, "loss": 0.25}', Source("loss"), "0.25"),
    # A pattern with one group.
    ("10 tests, 3 failed", Source("", "", r"(\d+) failed"), "3"),
    ("a\nloss=0.5\n", Source("", "", r"^loss=(\S+)$"), "0.5"),
    ("METRIC a=1\nscore 7", Source("a", "a", r"score (\d)"), "7"),
]
CRASHED = [
    ("", Source(), "no numbers"),
    ("all good\n", Source(), "no numbers"),
    ("1 2", Source(), "2 numbers"),
    ("1\n2\n", Source(), "2 numbers"),
    ("47\n47\n", Source(), "2 numbers"),
    ("47 errors (2 new)", Source(), "2 numbers"),
    ("47, 3 skipped", Source(), "2 numbers"),
    ("47 nan", Source(), "2 numbers"),
    ("nan\n", Source(), "not a finite decimal"),
    ("-Infinity\n", Source(), "not a finite decimal"),
    ("loss: inf", Source(), "not a finite decimal"),
    ("1e999", Source(), "not a finite decimal"),
    ("1_000", Source(), "not a finite decimal"),
    ("0x10", Source(), "not a finite decimal"),
    ("12ms 0x10 1_000 3/4 47", Source(), "6 numbers"),
    ("47", Source("", "errors"), "names 'errors'"),
    ("METRIC a=1\nMETRIC b=2", Source(), "2 candidates"),
    ("METRIC a=1\nMETRIC b=2", Source("c"), "2 candidates"),
    ("METRIC a=1\nMETRIC a=2", Source("a"), "2 values named 'a'"),
    ("METRIC a=1", Source("a", "b"), "no values named 'b'"),
    ("METRIC a=nan", Source(), "not a finite decimal"),
    ("METRIC loss=nan\nMETRIC seconds=5", Source(), "2 candidates"),
    ("METRIC a=blue", Source("a"), "not a finite decimal"),
    ("METRIC a=1_000", Source("a"), "not a finite decimal"),
    ("METRIC a=b\nMETRIC c=d", Source(), "0 candidates"),
    ('{"a": 1, "b": 2}', Source(), "2 candidates"),
    ('{"a": true}', Source("a"), "not a finite decimal"),
    ('{"a": {}}', Source("a"), "not a finite decimal"),
    ("{}", Source(), "0 candidates"),
    ('epoch 5\n{"loss": NaN}', Source(), "'NaN' is not a finite decimal"),
    ('epoch 5\n{"loss": NaN, "t": 3}', Source(), "2 candidates"),
    ('{\n "a": 5,\n "b": 6\n}', Source(), "2 candidates"),
    ("no match", Source("", "", r"(\d+) failed"), "no matches of the pattern"),
    ("1 failed 2 failed", Source("", "", r"(\d+) failed"), "2 matches of the pattern"),
    ("x failed", Source("", "", r"(\w+) failed"), "not a finite decimal"),
]


@pytest.mark.parametrize(("stdout", "source", "value"), FOUND)
def test_the_one_number_is_found(stdout: str, source: Source, value: str):
    found = printed.extract(stdout, source)
    assert (found.value, found.problem) == (Decimal(value), "")


@pytest.mark.parametrize(("stdout", "source", "problem"), CRASHED)
def test_anything_but_one_finite_decimal_is_a_named_crash(stdout: str, source: Source, problem: str):
    found = printed.extract(stdout, source)
    assert found.value is None
    assert problem in found.problem


def test_other_named_numbers_come_along_when_they_can_be_kept_exactly():
    lines = "METRIC a=1\nMETRIC b=2.5\nMETRIC c=nan\nMETRIC d=1e999\nMETRIC e=blue\n"
    assert printed.extract(lines, Source("a")).others == {"b": Decimal("2.5")}
    assert printed.extract('{"a": 1, "b": 2.5, "c": "x"}', Source("a")).others == {"b": Decimal("2.5")}


def test_many_or_long_names_are_bounded():
    lines = "METRIC a=1\n" + "".join(f"METRIC {'n' * 500}{n}={n}\n" for n in range(1000))
    others = printed.extract(lines, Source("a")).others
    assert sum(map(len, others)) < 200 * 65
    assert len(printed.extract(lines, Source()).problem) < 200


@pytest.mark.parametrize("pattern", ["(", "no group", "(two) (groups)"])
def test_a_pattern_needs_one_group(pattern: str):
    with pytest.raises(Refusal, match="expected"):
        printed.check_pattern(pattern)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=9))
def test_every_source_gives_the_same_exact_number(value: Decimal):
    shown = f"{value:f}"
    outputs = {
        f"noise\n{shown}\n": Source("m"),
        f"METRIC m={shown}\nMETRIC n=1\n": Source("m"),
        f'{{"m": {shown}, "n": 1}}\n': Source("m"),
        f"m is [{shown}] now 5": Source("m", "", r"\[(.*)\]"),
    }
    assert {printed.extract(out, source).value for out, source in outputs.items()} == {value}


@example("0\x850", Source())  # the pattern that the problem names had the control character in it
@given(st.text(max_size=80), st.sampled_from([Source(), Source("m"), Source("", "k"), Source("", "", "(.)x")]))
def test_any_output_is_one_number_or_one_problem(stdout: str, source: Source):
    found = printed.extract(stdout, source)
    assert (found.value is None) == bool(found.problem)
    assert found.value is None or found.value.is_finite()
    assert len(found.problem.splitlines()) <= 1


def test_the_form_of_the_baseline_is_kept_to():
    assert printed.extract("METRIC a=1", Source("a")).form.kind == "METRIC line"
    assert printed.extract('{"a": 1}', Source("a", form=from_dict("JSON key"))).value == 1
    found = printed.extract("failed after 3", Source("a", form=from_dict("METRIC line")))
    assert found.value is None
    assert "METRIC line" in found.problem
