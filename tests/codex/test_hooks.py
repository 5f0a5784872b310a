"""The installed hooks in the real CLI: they keep a foreground session going, and remind it after a compaction."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from autoresearch.hooks import hook_entries

from tests.codex import reach, replies, scripts
from tests.codex.conftest import BOUNDED, FULL_ACCESS, SANDBOXED, Exec
from tests.codex.replies import Request
from tests.codex.server import Server
from tests.conftest import SCRIPTS, Repo
from tests.lab import running_below
from tests.unattended import until

pytestmark = pytest.mark.codex

OPEN = (*BOUNDED, *FULL_ACCESS)
TRIAL = f"{sys.executable} {SCRIPTS / 'autoresearch_run_trial.py'} --description lower"
RunCodex = Callable[..., Exec]


@pytest.fixture
def goal(repo: Repo, run_script: Callable[..., Any]) -> Repo:
    """A repository with a run that is over when the number in the file `n` is 7; it starts at 10."""
    repo.write("n", "10\n")
    repo.commit("ten")
    ran = run_script(
        "init_run",
        *("--repo", repo.path, "--goal", "a small number", "--scope", "n", "--metric-name", "n"),
        *("--direction", "lower", "--verify", "cat n", "--stop-condition", "<= 7"),
    )
    assert ran.code == 0, ran.err
    return repo


@pytest.fixture
def trusted(goal: Repo, codex_home: Path, run_script: Callable[..., Any]) -> Path:
    """The project's hooks file, installed and trusted as a user would have trusted it; returns the file."""
    installed = run_script("hooks_ctl", "install", "--repo", goal.path).json
    assert not installed["active"]
    trust(codex_home, goal.path, Path(installed["path"]))
    assert run_script("hooks_ctl", "status", "--repo", goal.path).json["active"]
    return Path(installed["path"])


def trust(codex_home: Path, project: Path, file: Path) -> None:
    """Note the hashes in Codex's configuration; it runs a hook only if its own hash is the one noted."""
    lines = [f'[projects."{project}"]', 'trust_level = "trusted"']
    document = json.loads(file.read_text())
    for event, (name, _, _) in hook_entries.EVENTS.items():
        for index, group in enumerate(document["hooks"][name]):
            lines += [f'[hooks.state."{file}:{event}:{index}:0"]']
            lines += [f'trusted_hash = "{hook_entries.fingerprint(event, group)}"']
    with (codex_home / "config.toml").open("a") as config:
        config.write("\n".join(["", *lines, ""]))


def eager_to_end(_: Request) -> scripts.Talk[None]:
    """An agent that lowers the number by one, measures, and wants to end after each trial."""
    for value in range(9, 0, -1):
        yield from scripts.run(f"echo {value} > n")
        yield from scripts.run(TRIAL)
        yield replies.say("I have made progress.")


def idle_after_one(_: Request) -> scripts.Talk[None]:
    """An agent that makes one trial and then only talks."""
    yield from scripts.run("echo 9 > n")
    yield from scripts.run(TRIAL)
    while True:
        yield replies.say("I am done.")


def statuses(repo: Repo) -> list[str]:
    return [line.split("\t")[5] for line in repo.read("research-results.tsv").split("\n") if line[:1].isdigit()]


def asked(server: Server) -> int:
    """How often the session was told to go on."""
    return sum("The run is not finished." in text for text in server.requests[-1].user_texts)


def test_a_session_goes_on_until_the_goal(server: Server, run_codex: RunCodex, goal: Repo, trusted: Path) -> None:
    server.play(eager_to_end)
    ran = run_codex(OPEN)
    assert ran.session.completed
    assert statuses(goal) == ["baseline", "keep", "keep", "keep"]
    assert asked(server) == 2
    told = next(text for text in server.requests[-1].user_texts if "The run is not finished." in text)
    assert "Goal: a small number. Scope: n." in told and "autoresearch_run_trial.py" in told
    assert goal.status() == ""


def test_a_session_that_records_nothing_more_may_end(
    server: Server, run_codex: RunCodex, goal: Repo, trusted: Path
) -> None:
    server.play(idle_after_one)
    assert run_codex(OPEN).session.completed
    assert asked(server) == 3
    assert statuses(goal) == ["baseline", "keep"]


def test_other_sessions_are_left_alone(server: Server, run_codex: RunCodex, trusted: Path) -> None:
    server.play(scripts.agent(["true"]))
    assert run_codex(OPEN).session.completed
    assert len(server.requests) == 2


def test_untrusted_hooks_do_nothing(
    server: Server, run_codex: RunCodex, goal: Repo, run_script: Callable[..., Any]
) -> None:
    answer = run_script("hooks_ctl", "install", "--repo", goal.path).json
    assert set(answer["hooks"].values()) == {"untrusted"}
    server.play(idle_after_one)
    assert run_codex(OPEN).session.completed
    assert asked(server) == 0


def test_a_hook_whose_skill_is_gone_does_nothing(
    server: Server, run_codex: RunCodex, goal: Repo, codex_home: Path, run_script: Callable[..., Any]
) -> None:
    file = Path(run_script("hooks_ctl", "install", "--repo", goal.path).json["path"])
    file.write_text(file.read_text().replace("autoresearch_hooks_ctl.py", "gone.py"))
    trust(codex_home, goal.path, file)
    server.play(idle_after_one)
    assert run_codex(OPEN).session.completed
    assert asked(server) == 0


def test_a_user_who_breaks_in_is_not_overruled(
    server: Server, run_codex: RunCodex, codex_bin: str, goal: Repo, trusted: Path
) -> None:
    def talk(_: Request) -> scripts.Talk[None]:
        yield from scripts.run(f"echo 9 > n; {TRIAL}")
        yield replies.shell("touch ../waiting; sleep 60")
        while True:
            yield replies.say("I have 9.")

    server.play(talk)
    command = [codex_bin, "exec", "--json", "-C", str(goal.path), *OPEN, "go"]
    none = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=none, stdout=none, stderr=none, start_new_session=True) as child:
        while not (goal.path.parent / "waiting").exists():
            time.sleep(0.05)
        os.killpg(child.pid, signal.SIGINT)
    assert run_codex([*OPEN, "resume", server.threads[0]], prompt="what have you got?").session.completed
    assert asked(server) == 0


def test_no_model_watches_a_trial_that_waits(
    server: Server, run_codex: RunCodex, goal: Repo, trusted: Path, run_script: Callable[..., Any]
) -> None:
    begun = {}

    def talk(_: Request) -> scripts.Talk[None]:
        for value in (9, 7):
            yield from scripts.run(f"echo {value} > n")
            answer = yield from scripts.run(f"{TRIAL} --queue")
            assert '"status": "queued"' in answer and '"action": "end_turn"' in answer
            request = yield replies.say("It is being measured.")
            begun[value] = request.number, request.user_texts[-1]
        yield replies.say("reached")

    server.play(talk)
    assert run_codex(OPEN).session.completed
    assert statuses(goal) == ["baseline", "keep", "keep"]
    for value, (number, told) in begun.items():
        # the edit, its command, the end of the turn: the request after these opens with the answer
        assert number == {9: 3, 7: 6}[value] and f'"metric": {value}' in told and "left waiting was run" in told
    assert len(server.requests) == 7 and goal.status() == ""


def test_a_user_who_breaks_in_takes_a_waiting_trial_back(
    server: Server, codex_bin: str, goal: Repo, trusted: Path, run_script: Callable[..., Any], codex_home: Path
) -> None:
    slow = ("--goal", "g", "--scope", "n", "--verify", 'test -z "$SLOW" || sleep 60; cat n', "--force")
    assert run_script("init_run", "--repo", goal.path, *slow).code == 0
    server.play(scripts.agent(["echo 9 > n", f"{TRIAL} --queue"]))
    command = [codex_bin, "exec", "--json", "-C", str(goal.path), *OPEN, "go"]
    none, env = subprocess.DEVNULL, {**os.environ, "SLOW": "1"}
    with subprocess.Popen(command, stdin=none, stdout=none, stderr=none, env=env, start_new_session=True) as child:
        while not (goal.path / "autoresearch-evidence" / "intent.json").exists():
            time.sleep(0.05)
        os.killpg(child.pid, signal.SIGINT)
    queue = goal.path / "autoresearch-evidence" / "queue.json"
    assert until(lambda: not queue.exists() and not running_below(goal.path))
    assert goal.read("n") == "9\n" and statuses(goal) == ["baseline"]
    assert run_script("run_trial", "--repo", goal.path, "--description", "mine").json["status"] == "keep"


@pytest.fixture
def slow(
    goal: Repo, trusted: Path, run_script: Callable[..., Any], codex_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int, int], None]:
    """Return a function that makes checks take so many seconds, and the trusted Stop hook end after so many."""

    def make(check: int, hook: int) -> None:
        flags = ("--verify", "sleep ${SLOW:-0}; cat n", "--verify-timeout", 100, "--stop-condition", "<= 7", "--force")
        ran = run_script("init_run", "--repo", goal.path, "--goal", "g", "--scope", "n", "--direction", "lower", *flags)
        assert ran.code == 0, ran.err
        document = json.loads(trusted.read_text())
        (group,) = document["hooks"]["Stop"]
        before = hook_entries.fingerprint("stop", group)
        group["hooks"][0]["timeout"] = hook
        trusted.write_text(json.dumps(document))
        config = codex_home / "config.toml"
        config.write_text(config.read_text().replace(before, hook_entries.fingerprint("stop", group)))
        monkeypatch.setenv("SLOW", str(check))

    return make


def left_waiting(told: list[str]) -> scripts.Script:
    """An agent that leaves one trial waiting and ends each turn; what it is told then goes to the list."""

    def talk(request: Request) -> scripts.Talk[None]:
        yield from scripts.run(f"echo 7 > n; {TRIAL} --queue")
        while True:
            told.append((yield replies.say("the turn is over")).user_texts[-1])

    return talk


def test_a_trial_outlives_the_time_of_its_hook(
    server: Server, run_codex: RunCodex, goal: Repo, slow: Callable[[int, int], None]
) -> None:
    told: list[str] = []
    slow(9, 8)
    server.play(left_waiting(told))
    assert run_codex(OPEN).session.completed
    assert statuses(goal) == ["baseline", "keep"]
    assert "is measured still" in told[0] and "left waiting was run" in told[-1] and '"metric": 7' in told[-1]
    assert len(told) == 2 and len(server.requests) == 4


def test_what_a_hook_began_that_codex_ended_is_told_by_the_next(
    server: Server, run_codex: RunCodex, goal: Repo, slow: Callable[[int, int], None]
) -> None:
    told: list[str] = []
    slow(4, 1)  # no time to hand over, or hardly
    server.play(left_waiting(told))
    assert run_codex(OPEN).session.completed
    queue = goal.path / "autoresearch-evidence" / "queue.json"
    resumed = [*OPEN, "resume", server.threads[0]]
    while queue.exists() and len(server.requests) < 40:  # what did not even begin is begun by the next
        assert run_codex(resumed, prompt="go on").session.completed
        until(lambda: not queue.exists(), 5)
    assert statuses(goal) == ["baseline", "keep"]
    if not any("left waiting was run" in text for text in told):
        assert run_codex(resumed, prompt="go on").session.completed
    assert sum("left waiting was run" in text for text in told) == 1 and goal.status() == ""


def test_what_a_sandboxed_session_wrote_is_measured_in_its_sandbox(
    server: Server, run_codex: RunCodex, goal: Repo, trusted: Path, run_script: Callable[..., Any], tmp_path: Path
) -> None:
    other = reach.locked_home(tmp_path / "other")
    goal.write("work.py", "print('METRIC n=10')\n")
    goal.write("main.py", "import work\n")
    goal.commit("work")
    (goal.path.parent / "next.py").write_text(reach.program(server.port, other, "n=7"))
    init = ("--goal", "g", "--scope", "work.py", "--metric-name", "n", "--verify", "python3 -B main.py", "--force")
    assert run_script("init_run", "--repo", goal.path, *init, "--stop-condition", "<= 7").code == 0
    server.play(scripts.agent(["cp ../next.py work.py", f"{TRIAL} --queue"]))
    assert run_codex([*BOUNDED, *SANDBOXED]).session.completed
    assert '"status": "queued"' in server.requests[2].last_output
    assert statuses(goal) == ["baseline", "keep"], server.requests[-1].user_texts[-1]
    said = goal.read("autoresearch-evidence/0001/verify-1.out").split("\n")
    assert said[:6] == reach.REFUSED
    other.parent.chmod(0o700)
    assert not (goal.path.parent / "outside").exists() and goal.status() == ""


def test_without_the_sandbox_command_nothing_of_a_sandboxed_session_waits(
    server: Server, run_codex: RunCodex, goal: Repo, trusted: Path, sealed: Path
) -> None:
    noted = sealed / ".cache" / "codex-autoresearch" / "hooks"

    def talk(request: Request) -> scripts.Talk[None]:
        for path in noted.iterdir():
            assert path.read_text() == "confined"
            path.write_text("")  # as where the command fails at the start of the session
        yield from scripts.run(f"echo 9 > n; {TRIAL} --queue")
        yield replies.say("done")

    server.play(talk)
    run_codex([*BOUNDED, *SANDBOXED])
    assert '"queued"' not in server.requests[1].last_output and "made" in server.requests[1].last_output
    assert not (goal.path / "autoresearch-evidence" / "queue.json").exists()


def test_a_compaction_brings_the_anchor_back(server: Server, run_codex: RunCodex, goal: Repo, trusted: Path) -> None:
    usage = replies.Usage(input=9000)

    def talk(_: Request) -> scripts.Talk[None]:
        for value in (9, 8, 7):
            yield from scripts.run(f"echo {value} > n; {TRIAL}", usage)
        yield replies.say("done")

    server.play(talk)
    assert run_codex([*OPEN, "-c", "model_auto_compact_token_limit=5000"]).session.completed
    texts = [json.dumps(request.body["input"]) for request in server.requests]
    kinds = [request.kind for request in server.requests]
    first = kinds.index("compaction")
    assert "Your history was compacted" not in "".join(texts[: first + 1])
    assert "Your history was compacted" in texts[first + 1]
    assert "Goal: a small number." in texts[first + 1] and "SKILL.md again" in texts[first + 1]
