"""The lessons file: appended under its lock, never lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from autoresearch.kernel.core.errors import Refusal
from autoresearch.notes import lessons_file
from autoresearch.notes.lessons import Lesson


def lesson(title: str, iteration: str = "") -> Lesson:
    return Lesson(0, title, f"strategy {title}", "keep", "it helped", iteration=iteration)


def test_entries_are_numbered_as_they_come(tmp_path: Path):
    path = tmp_path / "deep" / "autoresearch-lessons.md"
    assert lessons_file.read(path) == []
    assert [entry.number for entry in lessons_file.append(path, lesson("a"))] == [1]
    assert [entry.number for entry in lessons_file.append(path, lesson("b", "tag#3"))] == [1, 2]
    assert [entry.title for entry in lessons_file.read(path)] == ["a", "b"]
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_writers_at_once_lose_none(tmp_path: Path):
    path = tmp_path / "autoresearch-lessons.md"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: lessons_file.append(path, lesson(f"title {number}")), range(24)))
    found = lessons_file.read(path)
    assert sorted(entry.number for entry in found) == list(range(1, 25))
    assert {entry.title for entry in found} == {f"title {number}" for number in range(24)}


def test_a_byte_that_is_no_text_costs_no_entry(tmp_path: Path):
    path = tmp_path / "autoresearch-lessons.md"
    lessons_file.append(path, lesson("first"))
    path.write_bytes(path.read_bytes().replace(b"it helped", b"it \xff helped"))
    lessons_file.append(path, lesson("second"))
    assert [entry.title for entry in lessons_file.read(path)] == ["first", "second"]


def test_a_folder_in_its_place_is_refused(tmp_path: Path):
    with pytest.raises(Refusal, match="cannot write"):
        lessons_file.append(tmp_path, lesson("a"))
