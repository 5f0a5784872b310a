"""Several agents of the real Codex CLI at once, with a scripted model: sessions under a controller, and sub-agents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.codex import replies, scripts
from tests.codex.conftest import BOUNDED, FULL_ACCESS, SANDBOXED, Exec
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


BATCH = f"python3 {SCRIPTS}/autoresearch_run_batch.py"


def test_sub_agents_of_a_foreground_session_edit_each_in_its_own_folder(
    server: Server, repo: Repo, run_script: Callable[..., Ran], run_codex: Callable[..., Exec], tmp_path: Path
):
    """Four slots with the root, one shared directory: each is told its folder by full path, and all work at once."""
    for letter in "abc":
        repo.write(f"part-{letter}", "9\n")
    repo.commit("parts")
    verify = "echo $(($(cat part-a) + $(cat part-b) + $(cat part-c)))"
    wish = ("--goal", "less", "--scope", "part-*", "--metric-name", "n", "--direction", "lower", "--verify", verify)
    assert run_script("init_run", "--repo", repo.path, *wish, "--parallel-mode", "parallel").code == 0
    told: list[str] = []

    def child(request: replies.Request) -> scripts.Talk[None]:
        letter, folder = re.findall(r"worker ([abc]) in ([^\s\"]+)", json.dumps(request.body["input"]))[-1]
        yield from scripts.run((SIGN + MEET).format(home=tmp_path).replace("$(pwd | tail -c 2)", letter))
        yield from scripts.run(
            f"cd {folder} && echo {ord(letter) - 92} > part-{letter} && git commit -qam step-{letter}"
        )
        yield replies.say(f"{letter} is committed")

    def talk(request: replies.Request) -> scripts.Talk[None]:
        if request.metadata.get("thread_source") == "subagent":
            yield from child(request)
            return
        opened = yield from scripts.run(f"{BATCH} open --repo . --workers 3 --oversubscribe")
        for worker in json.loads(opened[opened.index("{") :])["workers"]:
            request = yield replies.helper(f"worker {worker['id']} in {worker['path']}", worker["id"])
        request = yield replies.helper("one too many", "d")
        told.append(request.last_output)
        committed = "git log --format=%s --branches='autoresearch/*' | grep -c step-"
        yield from scripts.run(f"until [ $({committed}) = 3 ]; do sleep 0.1; done")
        told.append((yield from scripts.run(f"{BATCH} close --repo .")))
        yield replies.say("the batch is closed")

    server.play(talk)
    done = run_codex([*FULL_ACCESS, *BOUNDED, "-m", "gpt-6-sol"])
    assert done.code == 0, done.err
    assert sum(request.metadata.get("thread_source") == "subagent" for request in server.requests) >= 9, told
    assert (tmp_path / "places").read_text().split() == [str(repo.path)] * 3
    assert '"selected_worker": "a"' in told[1], told
    rows = [line.split("\t") for line in repo.read("research-results.tsv").split("\n") if line[:1].isdigit()]
    assert [row[0] for row in rows] == ["0", "1a", "1b", "1c", "1", "2", "3"], rows  # the losers apply on top
    assert [repo.read(f"part-{letter}").strip() for letter in "abc"] == ["5", "6", "7"]
    assert repo.status() == "" and repo.git("branch", "--list", "autoresearch/*") == ""
    assert "limit" in told[0], told[0]
