"""A session that does not end although its run is over, with the controller in the test's own process."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from autoresearch.background import controller, launch, session, watchdog
from autoresearch.background.account import Book
from autoresearch.background.runtime import Runtime
from autoresearch.kernel.disk.layout import Layout

from tests.background.conftest import PLAIN, Scripted
from tests.unattended import TRIAL

Control = Callable[..., Runtime]


@pytest.fixture
def control(background: Scripted, monkeypatch: pytest.MonkeyPatch) -> Control:
    """Return a function that controls a run with these launch flags to its end, with quick clocks."""
    for name in ("TICK", "REPORT", "REFRESH"):
        monkeypatch.setattr(session, name, 0.1)
    monkeypatch.setattr(watchdog, "GOODBYE_S", 0.1)
    monkeypatch.setenv("STAND_IN", str(background.home))
    root = background.repo.path
    names = ("research-results.tsv", "autoresearch-state.json", "autoresearch-launch.json", "autoresearch-runtime.json")
    layout = Layout(root, *(root / name for name in names))

    def run(*flags: object) -> Runtime:
        wish = ("--goal", "small", "--scope", "value", "--verify", "cat value", *PLAIN)
        assert background.ctl("create-launch", *wish, *flags).code == 0
        with launch.locked(layout):
            return controller.run(layout, launch.prepare_run(layout, {}), ("test",))

    return run


def test_it_is_ended_once_its_run_is_over(background: Scripted, control: Control):
    background.plan(["echo 9 > value", TRIAL, {"silent": 300}])
    ended = control("--iterations", 1)
    assert (ended.status, ended.terminal_reason) == ("terminal", "iteration_cap_reached")
    assert "ended by the controller: over" in background.log()
    assert background.statuses() == ["baseline", "keep"]


def test_it_is_ended_once_its_time_is_over(background: Scripted, control: Control):
    background.plan(["echo 9 > value", {"silent": 300}])
    ended = control("--max-minutes", "0.01")
    assert (ended.status, ended.terminal_reason) == ("terminal", "budget_exhausted")
    assert 0.01 <= ended.minutes < 1
    assert (background.repo.read("value"), background.repo.status()) == ("10\n", "")


def test_what_runs_is_seen_from_outside(background: Scripted, control: Control, monkeypatch: pytest.MonkeyPatch):
    seen = []
    background.plan(["sleep 1", "echo 1 > value", TRIAL])
    write = Book.note

    def note(self: Book, **changes: object) -> None:
        seen.append(changes.get("session"))
        write(self, **changes)

    monkeypatch.setattr(Book, "note", note)
    control("--stop-condition", "<= 1")
    assert "sleep 1" in [item.command for item in seen if item]  # type: ignore[attr-defined]
