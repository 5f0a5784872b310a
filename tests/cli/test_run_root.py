"""Which folder holds the run of a folder."""

from __future__ import annotations

from pathlib import Path

from autoresearch.cli.run_root import find_root
from autoresearch.kernel.disk.layout import POINTER


def test_the_root_is_the_nearest_repository_or_the_folder_itself(repo, tmp_path: Path):
    deep = repo.write("a/b/c.txt", "x").parent
    assert find_root(deep) == repo.path
    assert find_root(repo.path) == repo.path
    outside = tmp_path / "outside"
    outside.mkdir()
    assert find_root(outside) == outside


def test_a_worktree_of_a_run_leads_to_the_checkout_that_holds_the_run(repo, tmp_path: Path):
    repo.git("worktree", "add", "--quiet", str(tmp_path / "other"))
    assert find_root(tmp_path / "other") == tmp_path / "other"
    pointer = repo.path / ".git" / "worktrees" / "other" / POINTER
    pointer.write_text(f"{repo.path}\n")
    assert find_root(tmp_path / "other") == repo.path
    pointer.write_text(str(tmp_path / "gone"))
    assert find_root(tmp_path / "other") == tmp_path / "other"
