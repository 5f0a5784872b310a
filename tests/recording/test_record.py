"""The row that a report becomes."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from autoresearch.kernel.core import rows
from autoresearch.kernel.core.rows import Row
from autoresearch.kernel.core.settings import Config
from autoresearch.kernel.disk.journal import Events, Log
from autoresearch.kernel.disk.layout import Layout
from autoresearch.kernel.run.context import Run
from autoresearch.recording import record
from autoresearch.recording.record import Report

BASE = Row(0, "", "a1b2c3d", Decimal(9), "0", "-", "baseline", (), "initial")
PIVOTS = tuple(BASE._replace(iteration=n, status="pivot") for n in (1, 2))


@pytest.mark.parametrize("description", ["faster", "x" * 5000])
@pytest.mark.parametrize(
    ("log", "status", "recorded", "note"),
    [
        ((BASE,), "keep", "discard", " (missing required label: real)"),
        ((BASE, *PIVOTS), "pivot", "pivot", " (web search skipped: disabled)"),
    ],
)
def test_a_note_of_ours_is_never_cut_off(tmp_path: Path, log, status: str, recorded: str, note: str, description: str):
    layout = Layout(tmp_path, *[tmp_path / name for name in "abcd"])
    run = Run(layout, Log({}, log, Events()), Config(required_keep_labels=("real",)), None)
    row = record.row_of(run, Report(status, description, Decimal(8), "b2c3d4e"))
    assert row.status == recorded
    assert rows.parse_row(rows.format_row(row)) == row
    assert row.description.startswith(description[:900])
    assert row.description.endswith(note)
