"""Hashes of the evaluator's files."""

from __future__ import annotations

from pathlib import Path

import pytest
from autoresearch.kernel.disk import hashes


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def test_patterns_find_untracked_and_ignored_files(tmp_path: Path):
    write(tmp_path, "data/a.json", "data/deep/b.json", "src/c.json", "node_modules/d.json")
    assert hashes.glob(tmp_path, ["data/**/*.json"]) == ("data/a.json", "data/deep/b.json")
    assert hashes.glob(tmp_path, []) == ()


def test_the_number_of_files_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hashes, "FILE_LIMIT", 3)
    write(tmp_path, *(f"data/{n}" for n in range(9)))
    assert len(hashes.glob(tmp_path, ["data"])) == 3


def test_a_digest_follows_content_and_mode(tmp_path: Path):
    write(tmp_path, "a", "b")
    before = hashes.digests(tmp_path, ["a", "b", "none", "."])
    assert before["none"] == before["."] == ""
    assert before["a"] != before["b"] != ""
    (tmp_path / "a").write_text("other")
    (tmp_path / "b").chmod(0o755)
    after = hashes.digests(tmp_path, ["a", "b"])
    assert after["a"] != before["a"]
    assert after["b"] != before["b"]
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").chmod(0o644)
    assert hashes.digests(tmp_path, ["a", "b"]) == {"a": before["a"], "b": before["b"]}
