"""Rows: one line in, one line out, whatever a description holds."""

from __future__ import annotations

from decimal import Decimal

import pytest
from autoresearch.kernel.core import rows
from autoresearch.kernel.core.errors import Refusal
from autoresearch.kernel.core.rows import Row
from hypothesis import example, given
from hypothesis import strategies as st

from tests.kernel.core import logs

PLAIN = Row(1, "", "b2c3d4e", Decimal(41), "-6", "pass", "keep", ("production-path",), "narrow auth types")


def test_the_documented_row():
    line = "1\tb2c3d4e\t41\t-6\tpass\tkeep\t[labels: production-path] narrow auth types"
    assert rows.parse_row(line) == PLAIN
    assert rows.format_row(PLAIN) == line
    assert rows.HEADER == "iteration\tcommit\tmetric\tdelta\tguard\tstatus\tdescription"


@given(logs.valid_logs(max_rows=4))
def test_rows_read_back_equal(log: tuple[Row, ...]):
    for row in log:
        assert rows.parse_row(rows.format_row(row)) == row


@given(st.one_of(st.text(), logs.WILD), logs.LABELS)
@example("\u2028", ())
@example("[labels: a] [labels: b] c", ("z",))
@example("$(touch x) `id` \x1b[2J", ())
def test_any_description_becomes_a_clean_row_or_a_refusal(wild: str, labels: tuple[str, ...]):
    try:
        found, description = rows.describe(wild, labels)
    except Refusal as refused:
        assert len(str(refused).splitlines()) == 1
        return
    row = PLAIN._replace(labels=found, description=description)
    line = rows.format_row(row)
    assert line.splitlines() == [line]
    assert line.count("\t") == 6
    assert rows.parse_row(line.encode().decode()) == row
    assert found[: len(labels)] == labels


def test_a_megabyte_becomes_a_bounded_row():
    labels, description = rows.describe("x\t" * 500_000, ())
    assert (labels, len(description)) == ((), 1000)
    assert len(rows.format_row(PLAIN._replace(description="y" * 1_000_000))) < 1100


def test_labels_are_lowercase_unique_and_in_the_order_given():
    assert rows.labels(["Prod, b", " a ", "PROD", ",,"]) == ("prod", "b", "a")
    assert rows.describe("[labels: b, A] text", ("c", "a")) == (("c", "a", "b"), "text")
    assert rows.format_row(PLAIN._replace(labels=("c", "a"))).endswith("\t[labels: c, a] narrow auth types")


@pytest.mark.parametrize("label", ["two words", "a]b", "[a", "-a", "é", "a\nb", "x" * 65, "$(a)"])
def test_labels_that_would_not_read_back_are_refused(label: str):
    with pytest.raises(Refusal, match="expected"):
        rows.labels([label])
    if "," not in label and "]" not in label:
        with pytest.raises(Refusal, match="expected"):
            rows.describe(f"[labels: {label}] text", ())


def test_too_many_labels_are_refused():
    assert len(rows.labels([",".join(f"l{n}" for n in range(20))])) == 20
    with pytest.raises(Refusal, match="at most 20"):
        rows.labels([f"l{n}" for n in range(21)])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", "1 cells"),
        ("1\tb2c3d4e\t41\t-6\tpass\tkeep", "6 cells"),
        ("1\tb2c3d4e\t41\t-6\tpass\tkeep\ta\tb", "8 cells"),
        ("x\tb2c3d4e\t41\t-6\tpass\tkeep\ta", "iteration"),
        ("-1\tb2c3d4e\t41\t-6\tpass\tkeep\ta", "iteration"),
        ("1A\tb2c3d4e\t41\t-6\tpass\tkeep\ta", "iteration"),
        ("٣\tb2c3d4e\t41\t-6\tpass\tkeep\ta", "iteration"),
        ("9999999999\tb2c3d4e\t41\t-6\tpass\tkeep\ta", "iteration"),
        ("1\tb2c3d4e\tnan\t-6\tpass\tkeep\ta", "metric"),
        ("1\tb2c3d4e\t1_000\t-6\tpass\tkeep\ta", "metric"),
        ("1\tb2c3d4e\t٣\t-6\tpass\tkeep\ta", "metric"),
        ("1\tb2c3d4e\t0x10\t-6\tpass\tkeep\ta", "metric"),
        ("1\tb2c3d4e\t41\t-6\tyes\tkeep\ta", "guard"),
        ("1\tb2c3d4e\t41\t-6\tpass\tkept\ta", "status"),
    ],
)
def test_a_broken_line_says_which_cell_is_wrong(line: str, problem: str):
    with pytest.raises(ValueError, match=problem):
        rows.parse_row(line)


@given(st.text())
def test_any_line_is_a_row_or_a_value_error(line: str):
    try:
        row = rows.parse_row(line)
    except ValueError:
        return
    assert row.iteration >= 0


def test_worker_rows_do_not_count():
    assert not rows.parse_row("5a\tabc1234\t38\t-3\tpass\tkeep\t[PARALLEL worker-a] x").is_main
    assert rows.parse_row("5\tabc1234\t38\t-3\tpass\tkeep\t[PARALLEL batch] x").is_main
