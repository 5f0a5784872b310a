"""The journal: what is appended reads back, a torn write costs nothing but itself, one writer at a time."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from autoresearch.kernel.core import rows
from autoresearch.kernel.core.errors import Refusal
from autoresearch.kernel.core.rows import Row
from autoresearch.kernel.disk import atomic, journal
from autoresearch.kernel.disk.journal import Event
from autoresearch.setup import opening
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import HANG, SCRIPTS
from tests.kernel.core import logs

BASE = Row(0, "", "a1b2c3d", Decimal(47), "0", "-", "baseline", (), "initial any count")
HEADER = {"metric_direction": "lower", "mode": "loop", "run_tag": "any-types-v2"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=5,
)
EVENTS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "c"]), JSON, max_size=3), max_size=2)
Write = tuple[Sequence[Event], Sequence[Row]]


def discard(number: int, worker: str = "", text: str = "no gain") -> Row:
    return Row(number, worker, "b2c3d4e", Decimal(48), "+1", "-", "discard", (), text)


def batch(number: int) -> Write:
    """A parallel batch as it is recorded: events, worker rows, the main row."""
    events = [
        {"kind": "batch", "iteration": number},
        {"kind": "repos", "iteration": number, "repo_commits": {"p": "é"}},
    ]
    return events, [discard(number, "a", "漢字"), discard(number, "b"), discard(number)]


def grouped(log: Sequence[Row], events: Sequence[list[Event]]) -> list[Write]:
    """A log's rows after the baseline as the writes that record them, each with some events."""
    found: list[Write] = []
    workers: list[Row] = []
    for row in log[1:]:
        workers.append(row)
        if row.is_main:
            first = [{"kind": "batch"}] if len(workers) > 1 else []
            found.append(([*first, *events[len(found) % len(events)]], workers))
            workers = []
    return found


def content(log: journal.Log) -> object:
    """All that a log says."""
    return log.header, log.rows, [*log.events], log.size


def append(path: Path, write: Write) -> journal.Log:
    with journal.locked(path) as held:
        return held.append(*write)


@given(logs.valid_logs(), st.lists(EVENTS, min_size=1, max_size=4))
@settings(max_examples=40)
def test_what_is_appended_reads_back_equal(tmp_path_factory, log: tuple[Row, ...], events: list[list[Event]]):
    path = tmp_path_factory.mktemp("log") / "research-results.tsv"
    told = opening.create(path, HEADER, events[0], log[0])
    for write in grouped(log, events):
        told = append(path, write)
    found = journal.read(path)
    assert content(found) == content(told)
    assert found.rows == log
    assert found.size == path.stat().st_size
    assert found.state.iteration == log[-1].iteration
    assert found.header == HEADER


@pytest.mark.parametrize(
    "write",
    [
        ([], [discard(1)]),
        ([{"kind": "trial", "iteration": 1, "why": "naïve ✓"}, {"kind": "samples"}], [discard(1, text="x ✓")]),
        batch(1),
        (batch(1)[0][::-1], batch(1)[1]),
    ],
    ids=["row", "events", "batch", "batch event second"],
)
def test_a_write_torn_at_any_byte_costs_nothing_but_itself(tmp_path: Path, write: Write):
    path = tmp_path / "log.tsv"
    opening.create(path, HEADER, [{"kind": "start"}], BASE)
    before = append(path, ([{"kind": "repos", "iteration": 1, "repo_commits": {"p": "1"}}], [discard(1)]))
    events, added = write
    write = (events, [row._replace(iteration=2) for row in added])
    after = append(path, write)
    whole = path.read_bytes()
    for length in range(before.size, after.size):
        torn = journal.parse(whole[:length])
        assert content(torn) == content(before), whole[before.size : length]
    for length in range(before.size, after.size, 7):
        path.write_bytes(whole[:length])
        assert content(append(path, write)) == content(after)
        assert path.read_bytes() == whole


def test_rows_that_another_tool_wrote_one_by_one_stay(tmp_path: Path):
    path = tmp_path / "log.tsv"
    opening.create(path, HEADER, [], BASE)
    with path.open("a", encoding="utf-8") as file:
        file.write(rows.format_row(discard(1, "a")) + '\n# event: {"kind": "trial"}\n')
    found = journal.read(path)
    assert (found.rows, tuple(found.events)) == ((BASE, discard(1, "a")), ())
    assert append(path, ([], [discard(1)])).rows == (BASE, discard(1, "a"), discard(1))


FOREIGN = """# metric_direction: higher
#mode:loop
# a comment without a colon
# note: written by another tool

# environment: cpu=8 ram=16384MB gpu=none python=3.11 container=docker
iteration\tcommit\tmetric\tdelta\tguard\tstatus\tdescription
0\ta1b2c3d\t47.10\t0\t-\tbaseline\tinitial
# a remark: in the middle
1\tb2c3d4e\t4.9e1\t+1.9\tpass\tkeep\t[labels: Prod path, b] [PARALLEL worker-a] done

2\t-\t-\t0\t-\trefine\tthink
"""


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_foreign_log_is_read_and_continued_with_all_that_is_in_it(tmp_path: Path, ending: str):
    path = tmp_path / "log.tsv"
    path.write_bytes(FOREIGN.replace("\n", ending).encode())
    found = journal.read(path)
    assert found.header["mode"] == "loop"
    assert found.header["note"] == "written by another tool"
    assert found.direction == "higher"
    assert not found.events
    assert (found.state.current_metric, found.state.baseline_metric) == (Decimal(49), Decimal("47.1"))
    assert found.state.current_labels == ("prod path", "b")
    append(path, ([], [discard(3)]))
    assert path.read_bytes() == (FOREIGN.replace("\n", ending) + rows.format_row(discard(3)) + "\n").encode()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "header is missing"),
        ("# mode: loop\n", "header is missing"),
        ("0\ta1b2c3d\t47\t0\t-\tbaseline\tx\n", "line 1: a row before"),
        (FOREIGN + "3\tb\t1\n", "line 13: 3 cells"),
        (FOREIGN + "4\tb2c3d4e\t1\t0\t-\tdiscard\tx\n", "row 4"),
        (FOREIGN.replace("baseline\t", "keep\t"), "baseline"),
    ],
)
def test_an_unsound_log_is_refused_and_left_as_it_is(tmp_path: Path, text: str, problem: str):
    path = tmp_path / "log.tsv"
    path.write_text(text)
    with pytest.raises(ValueError, match=problem):
        _ = journal.read(path).state
    with pytest.raises(Refusal, match=problem), journal.locked(path):
        pass
    assert path.read_text() == text


def test_bytes_that_are_no_text_and_folders_are_value_errors(tmp_path: Path):
    (tmp_path / "log.tsv").write_bytes(b"# a: \xff\xfe\n" + rows.HEADER[1:].encode() + b"\n")
    for path in (tmp_path / "log.tsv", tmp_path):
        with pytest.raises(ValueError, match=r"not|line 2: a row before"):
            journal.read(path)
        with pytest.raises(Refusal), journal.locked(path):
            pass


def test_without_a_log_the_refusal_names_the_command(tmp_path: Path):
    with pytest.raises(Refusal, match="autoresearch_init_run"), journal.locked(tmp_path / "log.tsv"):
        pass
    assert not (tmp_path / "log.tsv").exists()


def test_events_of_any_shape_do_no_harm(tmp_path: Path):
    path = tmp_path / "log.tsv"
    opening.create(path, HEADER, [{"iteration": [1], "repo_commits": {}}, {"iteration": 0, "repo_commits": 5}], BASE)
    text = path.read_text().replace(rows.format_row(BASE), "# event: [1]\n# event: {broken\n" + rows.format_row(BASE))
    path.write_text(text)
    found = journal.read(path)
    assert found.repo_commits() == {}
    assert found.events[2:] == ({}, {})
    assert found.state.iteration == 0


def test_the_header_is_clean_and_its_json_exact(tmp_path: Path):
    path = tmp_path / "log.tsv"
    exact = '{"verify": "grep  \\u2028 x", "long": "' + "x" * 30_000 + '"}'
    opening.create(path, {**HEADER, "goal": "a\tb\n# mode: exec", "config_json": exact}, [], BASE)
    found = journal.read(path)
    assert found.header["config_json"] == exact
    assert found.header["goal"] == "a b # mode: exec"
    assert found.header["mode"] == "loop"


def test_state_at_is_the_state_that_was(tmp_path: Path):
    path = tmp_path / "log.tsv"
    states = [opening.create(path, HEADER, [], BASE).state]
    for number in range(1, 6):
        write = (
            batch(number) if number % 2 else ([], [discard(number)._replace(status="keep", metric=Decimal(-number))])
        )
        states.append(append(path, write).state)
    assert [journal.read(path).state_at(number) for number in range(6)] == states


def test_a_failed_write_leaves_the_log_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "log.tsv"
    opening.create(path, HEADER, [], BASE)
    before = path.read_bytes()
    real = os.pwrite

    def full(handle: int, data: bytes, offset: int) -> int:
        if offset > len(before):
            raise OSError(28, "No space left on device")
        return real(handle, bytes(data)[:10], offset)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(Refusal, match="free disk space"):
        append(path, ([], [discard(1)]))
    assert path.read_bytes() == before
    monkeypatch.undo()
    assert append(path, ([], [discard(1)])).state.iteration == 1


CHILD = """
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, {scripts!r})
from pathlib import Path
from decimal import Decimal
from autoresearch.kernel.core.rows import Row
from autoresearch.kernel.disk import journal, snapshot
path = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    with journal.locked(path) as held:
        number = held.log.state.iteration + 1
        row = Row(number, "", "b2c3d4e", Decimal(48), "+1", "-", "discard", (), "by " + sys.argv[3])
        log = held.append([{{"kind": "trial", "iteration": number, "pad": "x" * 3000}}], [row])
        snapshot.write(path.with_name("state.json"), {{"state": log.state.to_dict()}})
    print(number, flush=True)
"""


def start(path: Path, count: int, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD.format(scripts=str(SCRIPTS)), str(path), str(count), name]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def go(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("go\n")
    child.stdin.flush()


def test_32_recorders_at_once_make_32_rows_numbered_without_a_gap(tmp_path: Path):
    path = tmp_path / "log.tsv"
    opening.create(path, HEADER, [], BASE)
    children = [start(path, 1, f"recorder {n}") for n in range(32)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        go(child)
    answers = [child.communicate(timeout=HANG)[0] for child in children]
    assert [child.returncode for child in children] == [0] * 32
    found = journal.read(path)
    assert [row.iteration for row in found.rows] == list(range(33))
    assert sorted(map(int, answers)) == list(range(1, 33))
    assert {row.description for row in found.rows[1:]} == {f"by recorder {n}" for n in range(32)}
    assert [event["iteration"] for event in found.events] == list(range(1, 33))


def test_a_killed_writer_loses_no_acknowledged_row(tmp_path: Path):
    path = tmp_path / "log.tsv"
    opening.create(path, HEADER, [], BASE)
    for attempt in range(12):
        child = start(path, 10_000, "victim")
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        go(child)
        child.stdout.readline()
        time.sleep(attempt * 0.0037)
        child.send_signal(signal.SIGKILL)
        said = child.communicate(timeout=HANG)[0].split("\n")
        acknowledged = max([int(line) for line in said[:-1]], default=0)
        found = journal.read(path)
        assert found.state.iteration >= acknowledged
        assert [row.iteration for row in found.rows] == list(range(found.state.iteration + 1))
        log = append(path, ([], [discard(found.state.iteration + 1)]))
        assert log.size == path.stat().st_size
        atomic.replace(path.with_name("state.json"), "{}")
        assert sorted(item.name for item in tmp_path.glob("*.*")) == ["log.tsv", "state.json"]


def test_who_waited_while_the_run_was_archived_writes_to_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "log.tsv"
    opening.create(path, HEADER, [], BASE)
    real, waits = fcntl.flock, []

    def fresh_start_meanwhile(handle: int, how: int) -> None:
        waits.append(handle)
        if len(waits) == 1:
            path.rename(path.with_name("log.prev.tsv"))
            opening.create(path, {**HEADER, "run_tag": "second"}, [], BASE)
        real(handle, how)

    monkeypatch.setattr(fcntl, "flock", fresh_start_meanwhile)
    append(path, ([], [discard(1)]))
    assert len(waits) == 2
    found = journal.read(path)
    assert (found.header["run_tag"], len(found.rows)) == ("second", 2)
    assert journal.read(tmp_path / "log.prev.tsv").rows == (BASE,)
