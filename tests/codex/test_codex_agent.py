"""The command line that Codex is started with."""

from __future__ import annotations

from pathlib import Path

import pytest
from autoresearch.background.agent import Call
from autoresearch.codex import codex_agent, toml_text
from autoresearch.kernel.core.frozen import replace


@pytest.fixture
def program(tmp_path: Path) -> str:
    """Return a program that is never run."""
    path = tmp_path / "codex"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def call(program: str, policy: str) -> tuple[str, ...]:
    """The command line of a session."""
    wanted = Call(program, ("-c", "model=x"), Path("/tree"), policy, ("/tree/.git", "/other"), Path("/last"), "a/b")
    return codex_agent.argv(wanted)


def test_full_access(program: str):
    argv = call(program, "danger_full_access")
    assert argv[:7] == (program, "exec", "--json", "-C", "/tree", "-o", "/last")
    assert argv[-4:] == ("--dangerously-bypass-approvals-and-sandbox", "-c", "model=x", "-")
    assert "features.unbounded_connection_retries=false" in argv
    assert 'shell_environment_policy.set.AUTORESEARCH_MARK="a/b"' in argv


def test_the_model_that_a_run_has_come_to_wins(program: str):
    mine = ("--model", "old", "-m", "older", "--model=oldest", "-c", "model=x", "-i", "shot.png")
    wanted = Call(program, mine, Path("/tree"), "danger_full_access", (), Path("/last"), "a/b")
    argv = codex_agent.argv(replace(wanted, model="gpt-x", effort="high"))
    assert argv[-9:] == (
        *("-c", "model=x", "-i", "shot.png", "-c", 'model="gpt-x"', "-c", 'model_reasoning_effort="high"', "-"),
    )
    assert codex_agent.argv(replace(wanted, thread="t", model="gpt-x"))[-4:] == ("-c", 'model="gpt-x"', "t", "-")


def test_sandboxed(program: str):
    argv = " ".join(call(program, "workspace_write"))
    assert "-s workspace-write --add-dir /tree/.git --add-dir /other -c model=x -" in argv
    assert "bypass" not in argv


def test_the_folders_of_a_resumed_session_may_have_any_name(program: str):
    odd = '/a "b" \\ c/.git'
    wanted = Call(program, (), Path("/tree"), "workspace_write", (odd,), Path("/last"), "a/b")
    argv = codex_agent.argv(replace(wanted, thread="t"))
    (roots,) = (word for word in argv if word.startswith("sandbox_workspace_write.writable_roots="))
    assert toml_text.parse(roots.partition(".")[2]) == {"writable_roots": [odd]}
