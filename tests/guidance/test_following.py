"""What an answer says beside a row."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from autoresearch.guidance import following


def shown(evidence: Path, status: str, metric: str) -> str:
    """What a third row with this metric says of the runs in its evidence."""
    run: Any = SimpleNamespace(layout=SimpleNamespace(evidence=evidence))
    row: Any = SimpleNamespace(status=status, metric=Decimal(metric), iteration=3)
    return following._printed(run, row)


@pytest.mark.parametrize(
    ("status", "metric", "printed", "said"),
    [
        ("keep", "6.16", [8.19, 9.1, 8.89], "prints about 8.89 now"),
        ("keep", "8.3", [8.19, 9.1, 8.89], ""),
        ("keep", "-4", [-8, -9, -10], "prints about -9 now"),
        ("keep", "0", [0, 0], ""),
        ("discard", "6.16", [8.19, 9.1, 8.89], ""),
        ("keep", "6.16", [None], ""),
    ],
)
def test_a_value_that_has_drifted_from_what_is_printed_is_said(tmp_path: Path, status, metric, printed, said):
    (tmp_path / "0003").mkdir()
    (tmp_path / "0003/trial.json").write_text(json.dumps({"samples": [{"value": value} for value in printed]}))
    found = shown(tmp_path, status, metric)
    assert said in found and bool(said) == bool(found)


def test_a_trial_without_evidence_says_nothing(tmp_path: Path):
    assert shown(tmp_path, "keep", "1") == ""
