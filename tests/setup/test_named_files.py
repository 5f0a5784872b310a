"""Which files the words of a check are."""

from __future__ import annotations

from pathlib import Path

import pytest
from autoresearch.setup import named_files

from tests.kernel.disk.test_hashes import write


def test_candidates_become_the_files_that_exist(tmp_path: Path):
    root = tmp_path / "root"
    write(root, "check.py", "tests/a.py", "tests/deep/b.py", "tests/__pycache__/a.pyc", ".git/x")
    write(tmp_path, "beside.py")
    words = ["check.py", "none", "tests/", "a\0b", "x" * 5000, "./check.py", "../beside.py", "check.py"]
    assert named_files.expand(root, words) == (
        "check.py",
        "tests/a.py",
        "tests/deep/b.py",
        (tmp_path / "beside.py").as_posix(),
    )


def test_only_text_is_read_for_imports(tmp_path: Path):
    write(tmp_path, "a.py")
    (tmp_path / "b.py").write_bytes(b"\xff")
    (tmp_path / "c.py").write_bytes(b"x" * (1 << 20))
    assert [named_files.source_text(tmp_path / name) for name in ("a.py", "b.py", "c.py", "d.py")] == [
        "a.py",
        "",
        "",
        "",
    ]


def test_the_number_of_files_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(named_files, "FILE_LIMIT", 3)
    write(tmp_path, *(f"data/{n}" for n in range(9)))
    assert len(named_files.expand(tmp_path, ["data"])) == 3
