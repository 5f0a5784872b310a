"""The interactive Codex: the plugin with one trust prompt and its mention; a result told in the chat that said go."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.codex import replies, scripts
from tests.codex.replies import Request
from tests.codex.server import Server
from tests.codex.terminal import Terminal, end_server
from tests.conftest import HANG, SCRIPTS, Ran, Repo
from tests.unattended import TRIAL, until

pytestmark = [pytest.mark.codex, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]
NAME = "codex-autoresearch"
# What is drawn anew is only what differs from before, so that a letter may be missing from a phrase.
REVIEW, READY = "Hooks need review|3 hooks are new|Trust all and continue", "Ask Codex to do|for shortcuts"
WISH = "--goal g --scope value --metric-name value --direction lower --verify 'cat value'"
CARRY_ON = "carry the run on until a command answers stop or needs_human"  # as references/interaction-wizard.md has it
OPEN = 'approval_policy = "never"\nsandbox_mode = "danger-full-access"\n'


@pytest.fixture
def codex(codex_bin: str, codex_home: Path, repo: Repo) -> Iterator[Callable[[], Terminal]]:
    """Return a function that starts Codex in the trusted project `repo`, with a model that it would not replace."""
    settings = codex_home / "config.toml"
    told = settings.read_text().replace("gpt-5.5", "gpt-6-sol")
    settings.write_text(f'{OPEN}{told}\n[projects."{repo.path}"]\ntrust_level = "trusted"\n')
    repo.write("value", "10\n")
    repo.commit("value")
    started: list[Terminal] = []

    def start() -> Terminal:
        started.append(Terminal([codex_bin], repo.path))
        return started[-1]

    yield start
    for terminal in started:
        terminal.close()
    end_server(codex_home)


def eager_to_end(_: Request) -> scripts.Talk[None]:
    """An agent that wants to end after each trial."""
    for value in range(9, 0, -1):
        yield from scripts.run(f"echo {value} > value")
        yield from scripts.run(TRIAL)
        yield replies.say("I have made progress.")


def statuses(repo: Repo) -> list[str]:
    """The statuses of the log's rows."""
    return [line.split("\t")[5] for line in repo.read("research-results.tsv").split("\n") if line[:1].isdigit()]


TRUST_ALL = "\x1b[B\r"  # the second of three; 0.150 does not take its number


def test_a_plugin_is_trusted_once_mentioned_and_keeps_a_run_going(
    server: Server, codex: Any, codex_bin: str, repo: Repo, run_script: Callable[..., Ran], tmp_path: Path
):
    run_script("package", "plugin", tmp_path / "out")
    for words in (("marketplace", "add", tmp_path / "out"), ("add", f"{NAME}@autoresearch")):
        subprocess.run([codex_bin, "plugin", *words], check=True, capture_output=True, timeout=HANG)
    assert run_script("init_run", "--repo", repo.path, *shlex.split(WISH), "--stop-condition", "<= 7").code == 0
    server.play(eager_to_end)

    terminal = codex()
    assert terminal.waits_for(REVIEW), terminal.text()[-500:]
    terminal.keys(TRUST_ALL)
    terminal.keys(f"${NAME}:{NAME} go on\r")
    terminal.keys("\r", 0)  # the first one may have closed the list of completions
    assert until(lambda: statuses(repo) == ["baseline", *["keep"] * 3] or terminal.waits_for("never drawn", 0.2))
    texts = [text for request in server.requests for text in request.user_texts]
    assert any(text.startswith(f"<skill>\n<name>{NAME}:{NAME}</name>") for text in texts)
    assert any("The run is not finished." in text for text in texts)
    assert calls(server) == {"custom_tool_call"}
    terminal.close()

    (skill,) = (Path.home() / ".codex" / "plugins").rglob("SKILL.md")
    command = [sys.executable, str(skill.parent / "scripts" / "autoresearch_hooks_ctl.py")]
    status, install = (
        subprocess.run([*command, word, "--repo", repo.path], capture_output=True, text=True, timeout=HANG)
        for word in ("status", "install")
    )
    assert json.loads(status.stdout).items() >= {"scope": "plugin", "active": True}.items(), status.stdout
    assert "expected no second ones" in install.stderr
    again = codex()
    assert again.waits_for(READY) and not again.waits_for(REVIEW, 3)


def calls(server: Server) -> set[str]:
    """The kinds of tool calls in all that the CLI sent; those of a program are `custom_tool_call`."""
    items = [item for request in server.requests for item in request.body["input"]]
    return {str(item["type"]) for item in items if item["type"].endswith("call")}


def test_a_goal_keeps_a_run_going_without_hooks(server: Server, codex: Any, repo: Repo, run_script: Callable[..., Ran]):
    assert run_script("init_run", "--repo", repo.path, *shlex.split(WISH), "--stop-condition", "<= 7").code == 0
    turns: list[Request] = []
    ended: list[int] = []

    def talk(request: Request) -> scripts.Talk[None]:
        if not any("run it, with a goal" in text for text in request.user_texts):
            yield replies.say("a title")
        yield replies.create_goal(CARRY_ON)
        for value in range(9, 0, -1):
            yield from scripts.run(f"echo {value} > value")
            action = scripts.next_action((yield from scripts.run(TRIAL)))
            if action == "stop":
                yield replies.complete_goal()
                ended.append(value)
            turns.append((yield replies.say("I have made progress.")))

    server.play(talk)
    terminal = codex()
    assert terminal.waits_for(READY)
    terminal.says("run it, with a goal", lambda: bool(statuses(repo)[1:]))
    assert until(lambda: ended or terminal.waits_for("never drawn", 0.2)), terminal.text()[-500:]
    assert not terminal.waits_for("never drawn", 3)
    assert (ended, statuses(repo)) == ([7], ["baseline", *["keep"] * 3])
    assert len(turns) == 2 and all(str(turn.body["input"]).count(CARRY_ON) > 1 for turn in turns), turns[0].body[
        "input"
    ]
    assert calls(server) == {"custom_tool_call"}  # gpt-6-sol has no other tools


def test_the_result_is_told_in_the_chat_that_said_go(
    server: Server, codex: Any, repo: Repo, codex_bin: str, tmp_path: Path
):
    flags = f"{WISH} --stop-condition '<= 9' --notify chat"
    launch = f"python3 {SCRIPTS}/autoresearch_runtime_ctl.py launch --repo . {flags}"  # codex is not on PATH there
    told: list[str] = []
    served: list[str] = []

    def talk(request: Request) -> scripts.Talk[None]:
        if any(text.startswith("You take up an autoresearch run") for text in request.user_texts):
            yield from scripts.agent(["echo 9 > value", TRIAL])(request)
        elif request.user_texts[-1] == "go":
            served.append((yield from scripts.run(f"python3 {SCRIPTS}/autoresearch_doctor.py --repo .")))
            yield from scripts.run(launch)
            request = yield replies.say("It runs.")
            told.append(request.user_texts[-1])
            yield replies.say("It has ended.")
        else:
            yield replies.say("a title")

    server.play(talk)
    terminal = codex()
    assert terminal.waits_for(READY)
    terminal.says("go", lambda: bool(served))
    assert until(lambda: told or terminal.waits_for("never drawn", 0.2)), terminal.text()[-500:]
    assert "the environment of the terminal that first started Codex" in served[0], served[0]
    assert "What follows is data:" in told[0] and '"reason": "goal_reached"' in told[0]
