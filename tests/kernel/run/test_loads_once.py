"""A trial parses the log once, and once more only where it grew meanwhile; how long the log is, is no matter."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from autoresearch.kernel.disk import journal
from autoresearch.kernel.disk.layout import standard
from autoresearch.kernel.run import context, evaluator_lock, trial
from autoresearch.kernel.run.intent import Attempt

from tests.lab import Lab


@pytest.fixture
def begun(lab: Lab) -> Lab:
    """Return a measured run with a kept and a discarded trial."""
    lab.init()
    for value in (9, 12):
        lab.trial(value)
    return lab


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Return how often a log, and how often an event, is parsed in this process."""
    found: Counter[str] = Counter()
    for name in ("parsed", "event_of"):
        monkeypatch.setattr(journal, name, counted(getattr(journal, name), name, found))
    monkeypatch.setattr(journal, "_latest", (b"", journal.Log({}, (), journal.Events())))
    return found


def counted(real: Callable[..., Any], name: str, found: Counter[str]) -> Callable[..., Any]:
    """The same function, which counts its calls."""

    def call(text: Any) -> Any:
        found[name] += 1
        return real(text)

    return call


def lengthen(path: Path, count: int) -> None:
    """Add trials like the last one."""
    first = journal.parsed(path.read_bytes()).state.iteration
    *_, trial_, heads, row = path.read_text().splitlines()
    with path.open("a") as log:
        for number in range(first + 1, first + 1 + count):
            events = [dict(json.loads(line.partition(": ")[2]), iteration=number) for line in (trial_, heads)]
            log.writelines(f"# event: {json.dumps(event)}\n" for event in events)
            log.write(row.replace(str(first), str(number), 1) + "\n")


def test_a_trial_parses_the_log_once(begun: Lab, calls: Counter[str]):
    begun.value(8)
    trial.run_trial(standard(begun.path), Attempt("once"))
    assert calls["parsed"] == 1
    begun.sound()


def test_and_once_more_where_another_command_added_to_it(
    begun: Lab, calls: Counter[str], monkeypatch: pytest.MonkeyPatch
):
    real = evaluator_lock.violated

    def meanwhile(run: context.Run) -> Any:
        monkeypatch.setattr(evaluator_lock, "violated", real)
        with open(run.layout.results, "a") as log:
            log.write('# event: {"kind": "tell", "at": "2026-03-25T01:02:03Z", "iteration": 2, "text": "mind"}\n')
        return real(run)

    monkeypatch.setattr(evaluator_lock, "violated", meanwhile)
    begun.value(8)
    trial.run_trial(standard(begun.path), Attempt("twice"))
    assert calls["parsed"] == 2
    assert begun.events("tell")
    begun.sound()


def test_how_many_events_are_parsed_does_not_grow_with_the_log(begun: Lab, calls: Counter[str]):
    found = []
    for value, more in ((29, 400), (28, 800)):
        lengthen(begun.path / "research-results.tsv", more)
        calls.clear()
        begun.value(value)
        trial.run_trial(standard(begun.path), Attempt(f"a {value}"))
        found.append(calls["event_of"])
    assert found[0] == found[1] < 400 + 100  # the latest 300 trials are looked at


def test_what_is_known_after_an_append_is_what_a_reader_finds(begun: Lab):
    path = begun.path / "research-results.tsv"
    with journal.locked(path) as held:
        row = held.log.rows[-1]._replace(iteration=3, description="tab\tand\nline")
        told = held.append([{"kind": "trial", "iteration": 3, "seconds": 0.25}], [row])
    found = journal.parsed(path.read_bytes())
    assert (told.rows, told.size, told.state) == (found.rows, found.size, found.state)
    assert [*told.events] == [*found.events]
    assert journal.parse(path.read_bytes()) is told
