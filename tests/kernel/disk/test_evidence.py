"""The evidence folder: bounded captures, the intent, refused attempts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from autoresearch.kernel.core.errors import Refusal
from autoresearch.kernel.disk import evidence


def test_captures_are_bounded_and_keep_both_ends(tmp_path: Path):
    path = tmp_path / "0001" / "verify-1.out"
    assert evidence.write_bytes(path, b"", 10) == ""
    assert not path.exists()
    assert evidence.write_bytes(path, b"0123456789", 10) == "verify-1.out"
    assert path.read_bytes() == b"0123456789"
    evidence.write_bytes(path, b"a" * 500 + b"z" * 500, 10)
    assert path.read_bytes() == b"aaaaa\n[... 990 bytes cut ...]\nzzzzz"


def test_a_capture_that_cannot_be_kept_is_refused(tmp_path: Path):
    (tmp_path / "0001").write_text("in the way")
    with pytest.raises(Refusal, match="cannot write"):
        evidence.write_bytes(tmp_path / "0001" / "guard.out", b"x", 10)


def test_json_reads_back_exactly_and_broken_json_is_none(tmp_path: Path):
    path = evidence.folder(tmp_path, 7) / "trial.json"
    assert path.parent.name == "0007"
    evidence.write_json(path, {"metric": Decimal("0.1")})
    assert evidence.read_json(path) == {"metric": Decimal("0.1")}
    for text in ("{", "[]", "\udcff"):
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        assert evidence.read_json(path) is None
    assert evidence.read_json(tmp_path / "none") is None


def test_refused_attempts_wait_for_the_next_row(tmp_path: Path):
    root = tmp_path / "autoresearch-evidence"
    assert evidence.refusals(root) == []
    for number in range(30):
        evidence.note_refusal(root, {"n": number})
    with (root / "refused.jsonl").open("a") as file:
        file.write('5\n{"torn')
    assert [item["n"] for item in evidence.refusals(root)] == list(range(11, 30))
    evidence.clear_refusals(root)
    evidence.clear_refusals(root)
    assert evidence.refusals(root) == []


def test_an_intent_is_there_until_cleared(tmp_path: Path):
    evidence.write_json(evidence.intent_path(tmp_path), {"iteration": 1})
    evidence.clear_intent(tmp_path)
    evidence.clear_intent(tmp_path)
    assert not evidence.intent_path(tmp_path).exists()
