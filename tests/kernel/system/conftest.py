from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from autoresearch.kernel.system.git import Repo


class Sandbox(Repo):
    """A repository on disk that tests also drive with plain git."""

    def git(self, *args: str) -> str:
        done = subprocess.run(["git", *args], cwd=self.root, check=True, capture_output=True, env=clean())
        return os.fsdecode(done.stdout)

    def put(self, name: str, text: str) -> str:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return name

    def get(self, name: str) -> str:
        return (self.root / name).read_text()


def clean() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k.startswith("GIT_CONFIG")}


@pytest.fixture
def home(sealed: Path) -> Path:
    """The sealed home, with an identity."""
    with (sealed / ".gitconfig").open("a") as config:
        config.write("[user]\nname = U\nemail = u@example.org\n")
    return sealed


@pytest.fixture
def repo(tmp_path, home) -> Sandbox:
    root = tmp_path / "repo"
    root.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=root, check=True, env=clean())
    made = Sandbox(root)
    made.put("a.txt", "one\n")
    made.put("user.txt", "theirs\n")
    made.git("add", ".")
    made.git("commit", "-q", "-m", "start")
    return made
