"""Whole-file writes, archives and files set aside."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from autoresearch.kernel.core.errors import Refusal
from autoresearch.kernel.disk import atomic


def listing(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir() if item.name != "home")


def test_a_file_is_replaced_in_one_step_and_nothing_stays_beside_it(tmp_path: Path):
    path = tmp_path / "deep" / "state.json"
    for text in ("one", "naïve ✓ \ud83d", ""):
        atomic.replace(path, text)
        assert path.read_bytes() == text.encode("utf-8", "replace")
    assert listing(path.parent) == ["state.json"]


def test_what_a_killed_write_left_is_taken_over(tmp_path: Path):
    (tmp_path / "state.json.tmp").write_text("half of a long old te")
    atomic.replace(tmp_path / "state.json", "new")
    assert listing(tmp_path) == ["state.json"]
    assert (tmp_path / "state.json").read_text() == "new"


@pytest.mark.parametrize("step", ["fsync", "replace", "open"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES])
def test_a_failed_write_keeps_the_old_file_and_leaves_no_other(tmp_path, monkeypatch, step, code):
    path = tmp_path / "state.json"
    atomic.replace(path, "old")

    def fail(*_args: object, **_kwargs: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(Refusal, match="expected a writable file; ") as refused:
        atomic.replace(path, "new")
    monkeypatch.undo()
    assert len(str(refused.value).splitlines()) == 1
    assert (listing(tmp_path), path.read_text()) == (["state.json"], "old")


def test_a_link_planted_as_the_temporary_file_is_not_followed(tmp_path: Path):
    (tmp_path / "victim").write_text("untouched")
    (tmp_path / "state.json.tmp").symlink_to("victim")
    with pytest.raises(Refusal):
        atomic.replace(tmp_path / "state.json", "new")
    assert (tmp_path / "victim").read_text() == "untouched"


def test_a_folder_in_the_way_is_refused(tmp_path: Path):
    (tmp_path / "state.json").mkdir()
    with pytest.raises(Refusal):
        atomic.replace(tmp_path / "state.json", "new")
    assert listing(tmp_path) == ["state.json"]


def test_corrupt_files_set_aside_are_all_kept(tmp_path: Path):
    path = tmp_path / "autoresearch-state.json"
    for text in "abc":
        path.write_text(text)
        assert atomic.set_aside(path).endswith(".bak")
    assert [(tmp_path / name).read_text() for name in listing(tmp_path)] == ["b", "c", "a"]
