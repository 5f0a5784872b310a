"""A session that does not end although its run is over, with the controller in the test's own process."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace

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

    def run(*flags: object, verify: str = "cat value") -> Runtime:
        wish = ("--goal", "small", "--scope", "value", "--verify", verify, *PLAIN)
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
    assert ended.minutes >= 0.01
    assert (background.repo.read("value"), background.repo.status()) == ("10\n", "")


class Clock:
    """The controller's clock, which a test puts forward; `judged` are the verdicts on the session."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, leap: Callable[[], float]) -> None:
        self.ahead, self.judged, judge = 0.0, [""], watchdog.verdict
        clock = SimpleNamespace(time=time.time, time_ns=time.time_ns, monotonic=lambda: time.monotonic() + self.ahead)
        monkeypatch.setattr(session, "time", clock)

        def verdict(signs: watchdog.Signs, silence: float) -> str:
            self.ahead += leap()
            self.judged.append(judge(signs, silence))
            return self.judged[-1]

        monkeypatch.setattr(watchdog, "verdict", verdict)


def test_a_silent_session_is_ended(background: Scripted, control: Control, monkeypatch: pytest.MonkeyPatch):
    background.plan([{"silent": 36_000}], ["echo 1 > value", TRIAL])
    clock = Clock(monkeypatch, lambda: 0 if "silent" in clock.judged else 200)
    assert control("--stop-condition", "<= 1", "--silence-seconds", "5000").terminal_reason == "goal_reached"
    assert "ended by the controller: silent" in background.log() and len(background.prompts()) == 2


def test_a_long_trial_is_no_silence(background: Scripted, control: Control, monkeypatch: pytest.MonkeyPatch):
    background.plan(["echo 1 > value", TRIAL])
    began, seen = (background.repo.path.parent / name for name in ("began", "seen"))

    def leap() -> float:
        if "silent" in clock.judged:
            seen.touch()
        return 10_000 if began.exists() and not seen.exists() else 0

    clock = Clock(monkeypatch, leap)
    # In a scratch worktree, where the true total is measured at the end, nothing is waited for.
    wait = "until test -e ../seen; do sleep 0.05; done"
    check = f"case $PWD in *scratch*) ;; *) grep -q 10 value || {{ touch ../began; {wait}; }};; esac; cat value"
    ended = control("--stop-condition", "<= 1", "--silence-seconds", "5000", verify=check)
    assert (ended.terminal_reason, len(background.prompts())) == ("goal_reached", 1), background.log()


def test_what_runs_is_seen_from_outside(background: Scripted, control: Control, monkeypatch: pytest.MonkeyPatch):
    seen = []
    patient = "until test -e ../seen; do sleep 0.05; done"
    background.plan([patient, "echo 1 > value", TRIAL])
    write = Book.note

    def note(self: Book, **changes: object) -> None:
        session = changes.get("session")
        if getattr(session, "command", "") == patient:
            (background.repo.path.parent / "seen").touch()
        seen.append(session)
        write(self, **changes)

    monkeypatch.setattr(Book, "note", note)
    control("--stop-condition", "<= 1")
    assert patient in [item.command for item in seen if item]  # type: ignore[attr-defined]
