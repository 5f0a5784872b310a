from __future__ import annotations

from pathlib import Path

import pytest
from autoresearch.background import runlog, stream
from autoresearch.background.stream import FileFollower, Files


def append(path: Path, data: bytes) -> None:
    with open(path, "ab") as file:
        file.write(data)


def test_lines_come_once_and_whole(tmp_path: Path):
    path = tmp_path / "events"
    path.write_bytes(b"one\ntw")
    follower = FileFollower(path)
    assert list(follower.lines()) == [b"one"]
    append(path, b"o\n\nthree\n")
    assert list(follower.lines()) == [b"two", b"", b"three"]
    assert list(follower.lines()) == []
    follower.close()


def test_a_flood_is_read_in_bounded_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stream, "FILE_LIMIT", 100)
    path = tmp_path / "events"
    path.write_bytes(b"x" * 99 + b"\nhalf")
    follower = FileFollower(path)
    assert list(follower.lines()) == [b"x" * 99]
    assert path.stat().st_size == 0  # what was read is gone, the half line is remembered
    append(path, b" and half\nnext\n")
    assert list(follower.lines()) == [b"half and half", b"next"]
    follower.close()


def test_of_a_huge_line_the_beginning_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stream, "LINE_LIMIT", 50)
    monkeypatch.setattr(stream, "_CHUNK", 40)
    path = tmp_path / "events"
    path.write_bytes(b"a" * 300 + b"\nb\n")
    follower = FileFollower(path)
    first, second = follower.lines()
    assert first.startswith(b"aaaa") and len(first) < 300 and second == b"b"
    follower.close()


def test_a_session_finds_its_files_empty(tmp_path: Path):
    files = Files(tmp_path / "session")
    files.fresh("one")
    append(files.events, b"x")
    append(files.errors, b"Error: no\n")
    assert files.diagnostics() == "Error: no\n"
    files.fresh("two")
    assert (files.prompt.read_text(), files.events.read_bytes(), files.diagnostics()) == ("two", b"", "")


def test_a_file_of_others_is_trimmed_in_place(tmp_path: Path):
    path = tmp_path / "errors"
    path.write_bytes(b"0123456789" * 10)
    stream.trim(path, 100)
    assert path.stat().st_size == 100
    append(path, b"!")
    stream.trim(path, 100)
    assert path.read_bytes() == (b"0123456789" * 10 + b"!")[-50:]


def test_the_log_is_bounded_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(runlog, "LIMIT", 5000)
    monkeypatch.setattr(runlog, "KEPT", 1000)
    path = tmp_path / "log"
    for number in range(1000):
        runlog.write(path, f"line {number}\nforged \x1b[31m")
    assert path.stat().st_size < 6100
    text, offset = runlog.tail(path, 2)
    assert [line.split("Z ")[1] for line in text.split("\n") if line] == ["line 998 forged", "line 999 forged"]
    runlog.write(path, "new")
    text, _ = runlog.read(path, offset)
    assert text.endswith("Z new\n") and text.count("\n") == 1


def test_a_log_that_cannot_be_written_harms_nobody(tmp_path: Path):
    runlog.write(tmp_path / "none" / "log", "text")
    assert runlog.read(tmp_path / "none" / "log") == ("", 0)
