"""Background runs with a stand-in for the Codex CLI."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Ran, Repo
from tests.unattended import Background

STAND_IN = Path(__file__).parent / "stand_in.py"
PLAIN = ("--agent", "plain", "--agent-bin", str(STAND_IN))


class Scripted(Background):
    """A background run whose sessions do as they are told."""

    def __init__(self, repo: Repo, run_script: Callable[..., Ran], home: Path) -> None:
        super().__init__(repo, run_script, PLAIN)
        self.home = home
        self.env["STAND_IN"] = str(home)

    def plan(self, *sessions: list[Any]) -> None:
        """Say what each session does."""
        (self.home / "plan.json").write_text(json.dumps(sessions))

    def prompts(self) -> list[str]:
        """What the sessions were asked."""
        return [path.read_text() for path in sorted(self.home.glob("prompt-*.txt"))]

    def argv(self, number: int = 1) -> list[str]:
        """The command line of a session."""
        return list(json.loads((self.home / f"argv-{number}.json").read_text()))

    def outputs(self) -> str:
        """What the sessions' commands printed."""
        return (self.home / "outputs.txt").read_text()


@pytest.fixture
def background(repo: Repo, run_script: Callable[..., Ran], tmp_path: Path) -> Iterator[Scripted]:
    """Return a run that is not launched yet, in a repository with a file `value` that holds 10."""
    repo.write("value", "10\n")
    repo.commit("value")
    home = tmp_path / "stand-in"
    home.mkdir()
    made = Scripted(repo, run_script, home)
    yield made
    made.close()
