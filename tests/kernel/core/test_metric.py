"""The kernel's own reading: METRIC lines and nothing else."""

from __future__ import annotations

from decimal import Decimal

import pytest
from autoresearch.kernel.core import metric


@pytest.mark.parametrize(
    ("text", "name", "value", "others"),
    [
        ("METRIC ms=1.5\n", "ms", "1.5", {}),
        ("noise\n METRIC ms = 2\nMETRIC mb=7\n", "ms", "2", {"mb": Decimal(7)}),
        ("METRIC lines=12\n", "cost", "12", {}),
    ],
)
def test_a_metric_line_is_read(text: str, name: str, value: str, others: dict[str, Decimal]):
    assert metric.read(text, name) == (Decimal(value), "", others)


@pytest.mark.parametrize("text", ["12\n", "METRIC ms=1\nMETRIC ms=2\n", "METRIC a=1\nMETRIC b=2\n", "METRIC ms=nan\n"])
def test_what_is_not_one_number_is_none(text: str):
    value, problem, _ = metric.read(text, "ms")
    assert value is None and problem
