"""Exec mode and the real Codex CLI with a scripted model."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from autoresearch.kernel.disk.layout import exec_state_path

from tests.codex import replies, scripts
from tests.codex.conftest import SANDBOXED
from tests.codex.server import Server
from tests.conftest import Ran, Repo
from tests.unattended import TRIAL

pytestmark = pytest.mark.codex

WISH = ("--goal", "a small value", "--scope", "value", "--metric-name", "value", "--direction", "lower")


@pytest.fixture
def ci(repo: Repo, run_script: Callable[..., Ran], codex_bin: str) -> Callable[..., Ran]:
    """Return `ci(*flags)`: exec mode in a repository with a file `value` that holds 10."""
    repo.write("value", "10\n")
    repo.commit("value")

    def run(*flags: object) -> Ran:
        wish = (*WISH, "--verify", "cat value", "--codex-bin", codex_bin)
        ran = run_script("exec", "--repo", repo.path, *wish, *flags, env={"CODEX_API_KEY": "sk-very-secret-4711"})
        assert repo.status() == "" and not exec_state_path(repo.path).parent.exists()
        return ran

    return run


@pytest.mark.parametrize("policy", ["danger_full_access", "workspace_write"])
def test_a_run_over_two_sessions(server: Server, ci: Callable[..., Ran], policy: str):
    server.play(scripts.researcher(lambda n: f"echo {(9, 12, 7)[n - 1]} > value", TRIAL, 2))
    # The repository lies in the temporary folder, which a sandboxed session may otherwise write to.
    held = [f"--codex-arg={part}" for part in SANDBOXED[2:]]
    ran = ci("--iterations", 3, "--execution-policy", policy, *held)
    assert (ran.code, ran.err) == (0, "")
    *rows, last = map(json.loads, ran.out.splitlines())
    assert [(row["metric"], row["delta"], row["status"]) for row in rows] == [
        (9, -1, "keep"),
        (12, 3, "discard"),
        (7, -2, "keep"),
    ]
    assert (last["baseline"], last["best"], last["reason"]) == (10, 7, "exec_mode_completed")
    assert len(server.threads) == 2


def test_a_refused_key_is_a_hard_blocker(server: Server, ci: Callable[..., Ran], repo: Repo):
    server.play(scripts.always(replies.unauthorized()))
    ran = ci("--iterations", 3)
    told = json.loads(ran.err)
    assert (ran.code, told["exit_code"], json.loads(ran.out)["status"]) == (2, 2, "blocked")
    assert told["error"].startswith("codex_exec_unavailable: authentication: ")
    files = [path for path in repo.path.rglob("*") if path.is_file() and not {".git", ".git-kept"} & {*path.parts}]
    assert files and not [path for path in files if b"sk-very-secret-4711" in path.read_bytes()]


def test_a_model_that_does_nothing_is_a_hard_blocker(server: Server, ci: Callable[..., Ran]):
    server.play(scripts.agent(["true"]))
    ran = ci("--iterations", 3, "--max-stagnation", 2)
    assert ran.code == 2 and json.loads(ran.err)["error"].startswith("stagnated: ")
    assert len(server.threads) == 2
