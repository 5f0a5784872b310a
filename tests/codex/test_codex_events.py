from __future__ import annotations

import json

import pytest
from autoresearch.background.agent import SessionOutput, Usage, tokens_since
from autoresearch.background.stream import LINE_LIMIT
from autoresearch.codex.codex_events import (
    NOTICES_KEPT,
    RUNNING_KEPT,
    TEXT_LIMIT,
    Event,
    fold,
    parse_line,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.codex.conftest import read_stream

# As codex-cli 0.171.0 prints them.
THREAD = b'{"type":"thread.started","thread_id":"01a20918-06f1-7a33-a463-8f81a277ae7c"}'
TURN = b'{"type":"turn.started"}'
STARTED = (
    b'{"type":"item.started","item":{"id":"item_0","type":"command_execution",'
    b'"command":"/bin/bash -lc \'cat v\'","aggregated_output":"","exit_code":null,"status":"in_progress"}}'
)
ENDED = (
    b'{"type":"item.completed","item":{"id":"item_0","type":"command_execution",'
    b'"command":"/bin/bash -lc \'cat v\'","aggregated_output":"10\\n","exit_code":1,"status":"failed"}}'
)
PATCH = (
    b'{"type":"item.completed","item":{"id":"item_2","type":"file_change",'
    b'"changes":[{"path":"/abs/v","kind":"update"}],"status":"completed"}}'
)
REASONING = b'{"type":"item.completed","item":{"id":"item_0","type":"reasoning","text":"**Plan** ..."}}'
MESSAGE = b'{"type":"item.completed","item":{"id":"item_1","type":"agent_message","text":"done"}}'
WARNING = (
    b'{"type":"item.completed","item":{"id":"item_0","type":"error","message":"Model metadata for `x` not found. ..."}}'
)
AGAIN = b'{"type":"error","message":"Reconnecting... 1/1 (Connection failed: error sending request)"}'
ERROR = b'{"type":"error","message":"Connection failed: error sending request"}'
FAILED = b'{"type":"turn.failed","error":{"message":"Connection failed: error sending request"}}'
COMPLETED = (
    b'{"type":"turn.completed","usage":{"input_tokens":200,"cached_input_tokens":80,'
    b'"cache_write_input_tokens":0,"output_tokens":20,"reasoning_output_tokens":8}}'
)
GOOD = [THREAD, TURN, REASONING, STARTED, ENDED, PATCH, MESSAGE, COMPLETED]


def test_a_session_that_ends_well() -> None:
    assert read_stream(GOOD) == SessionOutput(
        thread_id="01a20918-06f1-7a33-a463-8f81a277ae7c",
        usage=Usage(input=200, cached=80, output=20, reasoning=8),
        last_message="done",
        completed=True,
    )


def test_text_lines_read_like_bytes() -> None:
    assert read_stream(line.decode() for line in GOOD) == read_stream(GOOD)


def test_a_session_that_fails() -> None:
    session = read_stream([THREAD, TURN, WARNING, AGAIN, ERROR, FAILED])
    assert session.failure == session.last_error == "Connection failed: error sending request"
    assert not session.completed
    assert session.usage is None
    assert session.notices == (
        "Model metadata for `x` not found. ...",
        "Reconnecting... 1/1 (Connection failed: error sending request)",
    )
    assert session.notice_count == 2


def test_a_notice_is_neither_error_nor_end() -> None:
    session = read_stream([THREAD, TURN, AGAIN, MESSAGE, COMPLETED])
    assert (session.failure, session.last_error, session.completed) == ("", "", True)


def test_a_failure_without_a_message_is_a_failure() -> None:
    assert read_stream([b'{"type":"turn.failed"}']).failure


def test_a_new_turn_takes_back_what_the_last_one_ended_with() -> None:
    session = read_stream([THREAD, TURN, FAILED, TURN])
    assert (session.failure, session.completed) == ("", False)
    assert not read_stream([TURN, COMPLETED, TURN]).completed


def test_the_newest_running_command_shows_until_it_ends() -> None:
    other = STARTED.replace(b"item_0", b"item_1").replace(b"cat v", b"sleep 9")
    shown = [read_stream(lines).running_command for lines in ([STARTED], [STARTED, other], [STARTED, other, ENDED])]
    assert shown == ["/bin/bash -lc 'cat v'", "/bin/bash -lc 'sleep 9'", "/bin/bash -lc 'sleep 9'"]
    assert read_stream([STARTED, other, ENDED, ENDED.replace(b"item_0", b"item_1")]).running_command == ""


@pytest.mark.parametrize("end", [COMPLETED, FAILED])
def test_the_end_of_a_turn_ends_its_commands(end: bytes) -> None:
    assert read_stream([STARTED, end]).running_command == ""


def test_an_update_of_a_command_leaves_it_running() -> None:
    assert len(read_stream([STARTED, STARTED.replace(b"item.started", b"item.updated")]).running) == 1


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"   ",
        b"not json",
        b"[1, 2]",
        b"null",
        b'{"type": 3}',
        b'{"no": "type"}',
        b"\xff\xfe\x00",
        b'{"type":"turn.completed","usage":{"input_tok',
        b"[" * 100_000,
    ],
)
def test_a_line_without_an_event_is_none(line: bytes) -> None:
    assert parse_line(line) is None


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"something.new","item":{"id":"item_9","type":"novelty"}}',
        b'{"type":"item.completed","item":{"id":"item_9","type":"novelty","text":"x"}}',
        b'{"type":"item.completed","item":"no object"}',
        b'{"type":"item.started","item":{"id":"item_9","type":"agent_message","text":"draft"}}',
    ],
)
def test_what_is_not_known_changes_nothing(line: bytes) -> None:
    before = read_stream([THREAD, TURN, STARTED])
    event = parse_line(line)
    assert event is not None
    assert fold(before, event) == before


def test_a_line_too_long_to_read_still_ends_its_command() -> None:
    output = b"x" * (LINE_LIMIT + 1)
    assert parse_line(ENDED.replace(b"10\\n", output)) == Event(
        "item.completed", item_id="item_0", item_type="command_execution"
    )
    assert read_stream([STARTED, ENDED.replace(b"10\\n", output)]).running_command == ""


def test_a_cut_line_still_ends_its_command() -> None:
    assert read_stream([STARTED, ENDED[:150]]).running_command == ""


def test_a_cut_end_is_no_end() -> None:
    assert not read_stream([TURN, COMPLETED[:-10]]).completed


def test_texts_are_bounded_and_cleaned() -> None:
    nasty = "\x1b[31mred\x1b[0m\r\n\u202e" + "y" * 10_000
    for key, kind in (("text", "agent_message"), ("command", "command_execution")):
        event = parse_line(json.dumps({"type": "item.completed", "item": {"id": "i", "type": kind, key: nasty}}))
        assert event is not None
        assert event.text.startswith("red yyy")
        assert len(event.text) <= TEXT_LIMIT


def test_what_is_kept_is_bounded() -> None:
    starts = [STARTED.replace(b"item_0", b"item_%d" % number) for number in range(100)]
    session = read_stream(starts + [AGAIN] * 100)
    assert (len(session.running), len(session.notices)) == (RUNNING_KEPT, NOTICES_KEPT)
    assert session.running[-1][0] == "item_99"
    assert session.notice_count == 100


@pytest.mark.parametrize("count", ["-5", "true", '"7"', "null", "1.5", "{}"])
def test_counts_that_are_none_are_zero(count: str) -> None:
    session = read_stream([COMPLETED.replace(b"200", count.encode())])
    assert session.usage == Usage(0, 80, 20, 8)


def test_a_turn_without_usage_keeps_the_sum() -> None:
    assert read_stream([COMPLETED, TURN, FAILED]).usage == Usage(200, 80, 20, 8)


def test_tokens_since_is_the_difference_within_a_thread() -> None:
    assert tokens_since(Usage(100, 40, 10, 4), Usage(250, 90, 30, 4)) == Usage(150, 50, 20, 0)
    assert tokens_since(Usage(), Usage(100, 40, 10, 4)) == Usage(100, 40, 10, 4)
    assert Usage(150, 50, 20, 0).total == 170


def test_tokens_since_of_a_new_thread_is_all_of_it() -> None:
    assert tokens_since(Usage(900, 0, 90, 0), Usage(100, 40, 10, 4)) == Usage(100, 40, 10, 4)


@given(
    st.lists(st.sampled_from([*GOOD, AGAIN, ERROR, FAILED, WARNING]) | st.binary(max_size=60), max_size=20),
    st.data(),
)
def test_any_stream_cut_anywhere_is_read(lines: list[bytes], data: st.DataObject) -> None:
    stream = b"\n".join(lines)
    session = read_stream(stream[: data.draw(st.integers(0, len(stream)))].split(b"\n"))
    assert not (session.completed and session.failure)
    assert len(session.running) <= RUNNING_KEPT
