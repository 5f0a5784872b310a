"""The port at which an agent is attached, and the plain agent that stands there beside Codex."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from autoresearch.background import agent, plain_agent
from autoresearch.background.agent import Ended, SessionOutput, Usage
from autoresearch.kernel.core.errors import Refusal

from tests.background.conftest import Scripted
from tests.unattended import TRIAL


def read(*lines: object) -> SessionOutput:
    """What a plain agent's lines tell."""
    seen = SessionOutput()
    for line in lines:
        seen = plain_agent.read(seen, line if isinstance(line, bytes) else json.dumps(line).encode())
    return seen


def test_the_usual_agent_is_codex_and_another_is_named():
    assert list(agent.agents()) == ["codex", "plain"]
    assert agent.named("").NAME == "codex"
    assert agent.named("plain").NAME == "plain"
    with pytest.raises(Refusal, match="agent 'gemini' is not known, expected one of codex, plain"):
        agent.named("gemini")


def test_a_plain_agent_tells_what_it_does():
    seen = read({"thread": "t"}, {"running": "make"}, {"message": "a\nb"}, {"tokens": {"input": 7, "output": 2}})
    assert (seen.thread_id, seen.running_command, seen.last_message) == ("t", "make", "a b")
    assert seen.usage == Usage(7, 0, 2, 0) and not seen.completed
    over = plain_agent.read(seen, b'{"done": true}')
    assert over.completed and over.running == ()


@pytest.mark.parametrize(
    "line", [b"", b"no JSON", b"[1]", b"3", b'{"tokens": 3}', b'{"running": 5}', b'{"done": 1}', b"{" * 2_000_000]
)
def test_a_line_that_says_nothing_changes_nothing(line: bytes):
    assert read(line) == SessionOutput()


@pytest.mark.parametrize(
    ("lines", "code", "told"),
    [
        ([{"done": True}], 0, ("ok", "fresh_session", None)),
        ([{"failed": "slow down", "class": "rate_limited", "after": 2.4}], 1, ("rate_limited", "wait", 2)),
        ([{"failed": "no key", "class": "authentication"}], 1, ("authentication", "human", None)),
        ([{"failed": "?", "class": "made up"}], 1, ("unknown", "backoff", None)),
        ([], -15, ("interrupted", "fresh_session", None)),
        ([], 3, ("unknown", "backoff", None)),
    ],
)
def test_why_a_plain_agent_ended(lines: list[Any], code: int, told: tuple[str, str, float | None]):
    found = plain_agent.ending(Ended(read(*lines), "", code, 0.0))
    assert (found.name, found.action, found.retry_after) == told


def test_a_manifest_of_an_earlier_version_names_its_agent(background: Scripted):
    background.plan(["echo 1 > value", TRIAL])
    wish = ("--goal", "g", "--scope", "value", "--verify", "cat value", "--stop-condition", "<= 1")
    assert background.ctl("create-launch", *wish, *background.agent).code == 0
    path = background.repo.path / "autoresearch-launch.json"
    manifest = json.loads(path.read_text())
    options = manifest["controller"]
    options["codex_bin"], options["codex_args"] = options.pop("agent_bin"), ["-x"]
    del options["agent_args"]
    path.write_text(json.dumps(manifest))
    background.ctl("start")
    assert background.ended()["reason"] == "goal_reached"
    assert background.argv() == ["-x"]


def test_an_agent_that_is_not_known_is_refused(background: Scripted):
    refused = background.launch("--agent", "gemini")
    assert refused.code == 1 and "expected one of codex, plain; correct --agent" in refused.err
    assert not Path(background.repo.path / "autoresearch-launch.json").exists()
