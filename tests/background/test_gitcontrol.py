"""What a sandboxed session may not have changed: hooks and configuration of git."""

from __future__ import annotations

from pathlib import Path

from autoresearch.background.gitcontrol import Controlled

from tests.conftest import Repo


def test_fingerprint_changes_with_hooks_and_config_only(repo: Repo, tmp_path: Path):
    seen = Controlled(repo.path)
    before = seen.control_fingerprint()
    repo.write("a.txt", "two\n")
    repo.commit("trial")
    repo.git("branch", "b")
    assert seen.control_fingerprint() == before
    hook = repo.path / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n")
    assert set(seen.control_fingerprint()) - set(before) == {str(hook)}
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "pre-commit").write_text("x")
    repo.git("config", "core.hooksPath", str(shared))
    assert str(shared / "pre-commit") in seen.control_fingerprint()
