"""Where a run's artifacts lie."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import pytest
from autoresearch.kernel.disk import layout
from autoresearch.kernel.disk.layout import Layout


def made(root: Path, results: str = "research-results.tsv") -> Layout:
    return Layout(root, root / results, root / "s.json", root / "l.json", root / "/else/r.json")


def test_names_that_are_documented(tmp_path: Path):
    found = made(tmp_path)
    assert found.lessons == tmp_path / "autoresearch-lessons.md"
    assert found.evidence == tmp_path / "autoresearch-evidence"
    assert found.runtime_log == tmp_path / "autoresearch-runtime.log"
    assert found.own_paths() == ("research-results.tsv", "s.json", "l.json", "/else/r.json")


def test_paths_are_told_relative_to_the_root(tmp_path: Path):
    assert made(tmp_path).relative(tmp_path / "a" / ".." / "b") == "b"
    assert made(tmp_path).relative(tmp_path.parent) == tmp_path.parent.as_posix()


def test_exec_mode_keeps_its_state_outside_the_repository(tmp_path: Path):
    (tmp_path / "link").symlink_to(tmp_path)
    digest = hashlib.sha256(str(tmp_path.resolve()).encode()).hexdigest()[:12]
    expected = Path(tempfile.gettempdir()) / "codex-autoresearch-exec" / digest / "autoresearch-state.exec.json"
    assert layout.exec_state_path(tmp_path) == layout.exec_state_path(tmp_path / "link") == expected


def test_the_skill_is_found_inside_a_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    assert layout.skill_inside(tmp_path) == ""
    assert layout.skill_inside(layout.SKILL_ROOT) == ""
    monkeypatch.setattr(layout, "SKILL_ROOT", tmp_path / ".agents" / "skills" / "x")
    assert layout.skill_inside(tmp_path) == ".agents/skills/x"


def test_exec_modes_folder_of_somebody_else_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "mine").mkdir()
    (tmp_path / "codex-autoresearch-exec").symlink_to("mine")
    found = layout.exec_state_path(tmp_path)
    assert (found.name, found.parent) == ("autoresearch-state.exec.json", layout.own_scratch(tmp_path))
