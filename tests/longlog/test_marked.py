"""A log read from a mark says what the whole log says; a mark that does not hold is not followed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from autoresearch.kernel.core import jsontext, rows
from autoresearch.kernel.core.rows import Row
from autoresearch.kernel.disk import journal
from autoresearch.longlog import marked
from autoresearch.setup import opening
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.core import logs

HEADER = {"metric_direction": "lower", "mode": "loop", "run_tag": "long"}
BASE = Row(0, "", "a1b2c3d", Decimal(47), "0", "-", "baseline", (), "start")


def long_log(path: Path, count: int = 2 * marked.STEP + 40) -> bytes:
    """A log with keeps, events, workers and a few odd rows."""
    opening.create(path, HEADER, [{"kind": "start", "at": "2026-01-01T00:00:00Z"}], BASE)
    text = []
    for number in range(1, count):
        gained, keep = number // 7, number % 7 == 0
        status, metric = ("keep", 47 - gained * Decimal("0.01")) if keep else ("discard", Decimal(48))
        if number % 11 == 0:
            text.append(f'# event: {{"kind": "batch", "iteration": {number}}}\n')
            text.append(f"{number}a\tb2c3d4e\t48\t+1\t-\tdiscard\tworker\n")
        text.append(f'# event: {{"kind": "trial", "iteration": {number}, "why": "é"}}\n')
        row = Row(number, "", "b2c3d4e", Decimal(metric), "0", "-", status, ("a",) if keep else (), f"try {number}")
        text.append(rows.format_row(row) + "\n")
    with path.open("a", encoding="utf-8") as file:
        file.writelines(text)
    return path.read_bytes()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return long_log(tmp_path_factory.mktemp("long") / "research-results.tsv")


def mark_of(data: bytes) -> dict[str, Any]:
    """The mark of a log, as it comes back from a snapshot."""
    found = marked.parse(data).marked()[marked.PREFIX]
    read = jsontext.loads(jsontext.dumps(found, indent=2))
    assert isinstance(read, dict)
    return read


def is_from(log: journal.Log, mark: object) -> bool:
    """Whether a log was read from a mark on."""
    return isinstance(log, marked.Marked) and log._reading.begun is not None and mark is not None


def same(log: journal.Log, data: bytes) -> None:
    """Whether it says what the whole log says."""
    whole = journal.parse(data)
    assert (log.state, marked.last(log), log.count, log.size) == (
        whole.state,
        marked.last(whole),
        whole.count,
        whole.size,
    )
    assert (log.header, log.rows, [*log.events]) == (whole.header, whole.rows, [*whole.events])
    assert log.of_kind("start", "trial") == whole.of_kind("start", "trial")


def test_a_log_read_from_a_mark_is_the_same_log(data: bytes):
    mark = mark_of(data)
    assert marked.STEP <= mark["rows"] < 2 * marked.STEP
    for text in (data, data[:-20], data + b'# event: {"kind": "trial", "iteration": 9999}\n'):
        found = marked.parse(text, mark)
        assert is_from(found, mark)
        same(found, text)
        same(marked.parse(text), text)
    assert marked.parse(data, mark).state_at(17) == journal.parse(data).state_at(17)
    assert marked.parse(data, mark).marked() == {marked.PREFIX: mark}


def test_what_is_appended_is_in_the_state_and_the_log(tmp_path: Path):
    path = tmp_path / "log.tsv"
    state = tmp_path / "state.json"
    before = long_log(path)
    state.write_text(jsontext.dumps({marked.PREFIX: mark_of(before)}))
    last = journal.parse(before).state.iteration
    for step in range(1, 4):
        row = Row(last + step, "", "c" * 7, Decimal(step), "0", "-", "keep", ("x",), f"better {step}")
        with journal.locked(path, marked.parser(state)) as held:
            assert is_from(held.log, True)
            told = held.append([{"kind": "trial", "iteration": last + step}], [row])
        same(told, path.read_bytes())


EDITS: dict[str, Callable[[bytes], bytes]] = {
    "an early row": lambda data: data.replace(b"\n3\tb2c3d4e\t48", b"\n3\tb2c3d4e\t49", 1),
    "an early keep": lambda data: data.replace(b"discard\ttry 5", b"keep\ttry 5", 1),
    "the header": lambda data: data.replace(b"metric_direction: lower", b"metric_direction: higher", 1),
    "cut": lambda data: data[:2000],
    "cut at the front": lambda data: data[100:],
    "another byte": lambda data: data.replace(b"try 17\n", b"try 1\xff\n", 1),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=list(EDITS))
def test_an_edit_of_what_lies_before_a_mark_is_noticed(data: bytes, edit: Callable[[bytes], bytes]):
    damaged = edit(data)
    assert damaged != data
    results: list[object] = []
    for read in (journal.parse, lambda text: marked.parse(text, mark_of(data))):
        try:
            log = read(damaged)
            results.append((log.state, log.count))
        except ValueError as error:
            results.append(str(error).split(":")[0])
    assert results[0] == results[1]


@given(st.sampled_from(["bytes", "rows", "fold", "sha256", "fold.best", "fold.last", "fold.counts"]), st.data())
@settings(max_examples=60)
def test_a_mark_that_was_edited_is_not_followed(data: bytes, name: str, draw: st.DataObject):
    mark = mark_of(data)
    value = draw.draw(st.one_of(st.none(), st.integers(-5, 5000), st.text(max_size=5), st.lists(st.integers())))
    inner = mark["fold"] if "." in name else mark
    before, inner[name.rpartition(".")[2]] = inner[name.rpartition(".")[2]], value
    found = marked.parse(data, mark)
    assert before == value or not is_from(found, mark)
    assert found.state == journal.parse(data).state


def test_an_event_that_changes_earlier_rows_is_read_with_all(data: bytes):
    mark = mark_of(data)
    amended = data + b'# event: {"kind": "amended", "of": 3, "text": "said anew"}\n'
    found = marked.parse(amended, mark)
    assert not is_from(found, mark)
    same(found, amended)
    drift = data + (
        b'# event: {"kind": "taken_back", "of": 1036, "iteration": 1040, "why": "x"}\n1040\tc\t50\t0\t-\tdrift\tback\n'
    )
    same(marked.parse(drift, mark), drift)


@given(logs.valid_logs())
@settings(max_examples=30)
def test_any_short_log_is_read_the_same_way(log: tuple[Row, ...]):
    lines = [f"# {key}: {value}" for key, value in HEADER.items()] + [rows.HEADER, *map(rows.format_row, log)]
    text = ("\n".join(lines) + "\n").encode()
    same(marked.parse(text), text)
    assert marked.parse(text).marked() == {}


def test_a_side_line_that_is_left_after_the_mark_is_folded_from_the_start(data: bytes):
    mark = mark_of(data)
    begun = data + b'# event: {"kind": "line", "iteration": 1040, "of": 1040, "line": "b from 3", "main": "c"}\n'
    begun += b"1040\tc\t70\t0\t-\tdrift\t[LINE b from 3] grows\n1041\td\t40\t0\t-\tkeep\t[LINE b from 3] x\n"
    open_one = marked.parse(begun, mark)
    assert (open_one.state.line, open_one.state.lines) == ("b from 3", 1)
    same(open_one, begun)
    left = begun + b'# event: {"kind": "line", "iteration": 1042, "of": 1040, "line": ""}\n'
    left += b"1042\tc\t60\t0\t-\tdrift\t[LINE b from 3] left\n"
    found = marked.parse(left, mark)
    same(found, left)
    assert (found.state.line, found.state.best_iteration) == ("", journal.parse(data).state.best_iteration)
