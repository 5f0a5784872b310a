"""Edits that a session left, taken back while the user works."""

from __future__ import annotations

from typing import Any

import pytest
from autoresearch.background import abandoned
from autoresearch.kernel.disk.layout import standard
from autoresearch.kernel.system.git import GitError, Repo

from tests.lab import Lab


def test_an_edit_is_taken_back_on_the_commit_that_the_user_makes_meanwhile(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    lab.init()
    lab.value(9)
    commit = Repo.commit_paths
    declined: list[Any] = []

    def meanwhile(repo: Repo, *arguments: Any) -> Any:
        if not declined:
            declined.append(lab.repo.write("theirs.txt", "word\n"))
            lab.repo.git("add", "theirs.txt")
            lab.repo.git("commit", "-qm", "theirs", "theirs.txt")
            raise GitError("cannot lock ref 'HEAD': is at another commit")
        return commit(repo, *arguments)

    monkeypatch.setattr(Repo, "commit_paths", meanwhile)
    assert "src/value" in abandoned.clear(standard(lab.path))
    assert lab.repo.read("src/value") == "10\n"
    assert lab.repo.read("theirs.txt") == "word\n"
    assert lab.repo.git("log", "-1", "--format=%s").strip() == "theirs"
    assert "+9" in lab.evidence("0001/undone.diff").read_text()
