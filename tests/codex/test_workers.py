"""Several sessions of the real Codex CLI at once under one controller, with a scripted model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.codex import scripts
from tests.codex.conftest import SANDBOXED
from tests.codex.server import Server
from tests.conftest import SCRIPTS, Ran, Repo
from tests.unattended import Background

pytestmark = pytest.mark.codex

SET = tuple(f"--codex-arg={part}" for part in SANDBOXED[2:])
WORKERS = ("--parallel-mode", "parallel", "--workers", 3, "--oversubscribe", "--rollback-policy", "revert")
# Each waits until all three are at work, so three sessions live at once; its folder's name ends with its letter.
SIGN = "letter=$(pwd | tail -c 2); pwd >> {home}/places; touch {home}/here-$letter; "
MEET = "until [ $(ls {home} | grep -c here-) = 3 ]; do sleep 0.1; done"
LOWER = "letter=$(pwd | tail -c 2); echo $(($(cat part-$letter) - 1)) > part-$letter"
PROPOSE = f"letter=$(pwd | tail -c 2); python3 {SCRIPTS}/autoresearch_run_batch.py propose --repo . --worker $letter "


@pytest.fixture
def background(repo: Repo, run_script: Callable[..., Ran], codex_bin: str) -> Iterator[Background]:
    """A run that is not launched yet, on the sum of three files."""
    for letter in "abc":
        repo.write(f"part-{letter}", "9\n")
    repo.commit("parts")
    made = Background(repo, run_script, ("--codex-bin", codex_bin))
    yield made
    made.close()


@pytest.mark.parametrize("policy", ["danger_full_access", "workspace_write"])
def test_three_sessions_side_by_side_each_in_its_own_worktree(
    server: Server, background: Background, tmp_path: Path, policy: str
):
    home = background.repo.path.parent if policy == "danger_full_access" else background.repo.path / ".git"
    meet = (SIGN + MEET).format(home=home)
    server.play(scripts.agent([meet, LOWER, PROPOSE + '--description "step $letter"']))
    flags = SET if policy == "workspace_write" else ()
    verify = "echo $(($(cat part-a) + $(cat part-b) + $(cat part-c)))"
    wish = ("--execution-policy", policy, "--scope", "part-*", "--iterations", 6, *WORKERS, *flags)
    ran = background.launch(*wish, verify=verify)
    assert ran.code == 0, ran.err
    ended = background.ended()
    outputs = [r.last_output for r in server.requests if "rror" in r.last_output]
    assert (ended["reason"], ended["retained_metric"]) == ("iteration_cap_reached", 21), (outputs[:3], background.log())
    places = set((home / "places").read_text().split())
    assert len(places) == 3 and not any((Path(place)).exists() for place in places)
    assert str(background.repo.path) not in places and len(server.threads) >= 3
    assert {row[6][: len("[PARALLEL worker-a]")] for row in background.rows()[1:]} == {
        f"[PARALLEL worker-{letter}]" for letter in "abc"
    }
    assert background.repo.status() == "" and background.repo.git("branch", "--list", "autoresearch/*") == ""


@pytest.mark.parametrize(
    "edit", ["git config core.pager evil", "echo evil > $(git rev-parse --git-path hooks/pre-push)"]
)
def test_a_sandboxed_worker_that_changes_what_git_runs_ends_the_run(server: Server, background: Background, edit: str):
    server.play(scripts.agent([edit, LOWER, PROPOSE + '--description "step $letter"']))
    wish = ("--execution-policy", "workspace_write", "--scope", "part-*", *WORKERS, *SET)
    ran = background.launch(*wish, verify="echo $(($(cat part-a) + $(cat part-b) + $(cat part-c)))")
    assert ran.code == 0, ran.err
    ended = background.ended()
    assert (ended["status"], ended["reason"]) == ("needs_human", "blocked"), background.log()
    assert "changed what git runs" in ended["detail"] and str(Path(".git") / "") in ended["detail"]
    assert background.repo.git("branch", "--list", "autoresearch/*") == ""
