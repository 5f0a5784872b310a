"""Archives move on, none is lost."""

from __future__ import annotations

from pathlib import Path

from autoresearch.setup import archives


def test_archives_move_on_and_none_is_lost(tmp_path: Path):
    path = tmp_path / "research-results.tsv"
    assert archives.archive(path) == ""
    for text in "abc":
        path.write_text(text)
        assert archives.archive(path) == "research-results.prev.tsv"
    assert not path.exists()
    kept = {path.name: path.read_text() for path in tmp_path.glob("*.tsv")}
    assert kept["research-results.prev.tsv"] == "c"
    assert sorted(kept.values()) == ["a", "b", "c"]
