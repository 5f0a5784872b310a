from __future__ import annotations

from pathlib import Path

import pytest
from autoresearch.background import ending
from autoresearch.kernel.disk.layout import Layout

from tests.unattended import alive


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Return the layout of an empty folder."""
    names = ("research-results.tsv", "autoresearch-state.json", "autoresearch-launch.json", "autoresearch-runtime.json")
    return Layout(tmp_path, *(tmp_path / name for name in names))


def test_a_notify_command_that_hangs_is_ended_with_what_it_started(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ending, "NOTIFY_LIMIT", 2.5)
    command = "setsid sh -c 'echo $$ > pid; sleep 300' & while [ ! -s pid ]; do :; done; sleep 300"
    assert ending.notify(command, layout, {}, tmp_path / "log") == "ended after 2.5 seconds"
    assert not alive(int((tmp_path / "pid").read_text()))


def test_a_notify_command_that_cannot_be_told_harms_nothing(layout: Layout, tmp_path: Path):
    (layout.evidence).write_text("a file where the folder belongs")
    assert "cannot write" in ending.notify("cat", layout, {}, tmp_path / "log")
    assert ending.notify("", layout, {}, tmp_path / "log") == ""


def test_nothing_is_summed_up_without_a_run(layout: Layout):
    assert ending.summarise(layout) is False
