"""The transcript in the manual is what the real CLI does: played here again, and compared line by line.

    TRANSCRIPT=write python3 -m tests tests/codex/test_transcripts.py

puts the lines of today into the manual.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from autoresearch.kernel.disk import journal

from tests.codex import replies, scripts
from tests.codex.server import Server
from tests.conftest import ROOT, Ran, Repo
from tests.unattended import TRIAL, Background, until

pytestmark = pytest.mark.codex
GUIDE = ROOT / "GUIDE.md"
BLOCK = re.compile(r"(?<=<!-- played by tests/codex/test_transcripts\.py -->\n\n```text\n).*?(?=```\n)", re.DOTALL)
SHOWN = (
    "iteration",
    "status",
    "metric",
    "retained_metric",
    "told",
    "detail",
    "taken_back",
    "left",
    "text",
    "of",
    "why",
    "config",
    "was",
)
LIMIT = 120


class Play:
    """A run as user, agent and controller see it, line by line."""

    def __init__(self, background: Background) -> None:
        self.run, self._logged, self._lock = background, 0, threading.RLock()
        self.lines: list[str] = []

    def user(self, command: str, *args: object) -> None:
        """A command of the user's and its answer."""
        self.log()
        ran = self.run.ctl(command, *args)
        assert ran.code == 0, ran.err
        said = " ".join(f'"{arg}"' if " " in str(arg) else str(arg) for arg in args)
        self.line("user", f"$ runtime_ctl {command} {said}")
        self.line("", brief(ran.json))

    def status(self) -> None:
        """What `status` says of a run that waits: the lines that no clock or machine changes."""
        self.log()
        self.line("user", "$ runtime_ctl status")
        for text in self.run.ctl("status", "--format", "text").out.splitlines():
            if text.startswith(("status ", "waiting", "spent ", "left ", "cost ")):
                self.line("", re.sub(r"minutes [\d.]+", "minutes 0.1", text))

    def agent(self, said: str, answer: str) -> None:
        """A command of the agent's and its answer."""
        self.log()
        self.line("agent", said)
        self.line("", brief(json.loads(answer[answer.index("{") :])))

    def log(self) -> None:
        """What the controller has written since."""
        with self._lock:
            for text in self.run.log().splitlines()[self._logged :]:
                self._logged += 1
                self.line("log", re.sub(r"^\S+Z ", "", text))

    def line(self, who: str, text: str) -> None:
        """One line, without what is another one tomorrow."""
        text = re.sub(r"\d{4}-\d\d-\d\dT(\d\d:\d\d):\d\dZ", "07:30", text)
        text = re.sub(r"try again at [^.]*?(AM|PM)", "try again at 7:30 AM", text)
        self.lines.append(f"{who:6} {text}"[:LIMIT].rstrip() + ("…" if len(f"{who:6} {text}") > LIMIT else ""))


def brief(told: Mapping[str, Any]) -> str:
    """The keys of an answer or event that tell something here."""
    kept = {name: told[name] for name in SHOWN if told.get(name) not in (None, {})}
    following = told.get("next")
    if isinstance(following, dict):
        kept["next"] = {name: following[name] for name in ("action", "user_says") if name in following}
    return json.dumps(kept)


@pytest.fixture
def background(repo: Repo, run_script: Callable[..., Ran], codex_bin: str) -> Iterator[Background]:
    """A run whose check lasts while a file is there."""
    repo.write("value", "10\n")
    repo.commit("a number")
    made = Background(repo, run_script, ("--codex-bin", codex_bin))
    made.env["HOLD"] = str(repo.path.parent / "hold")
    yield made
    made.close()


def model(play: Play) -> scripts.Script:
    """An agent that leaves its first two trials waiting and meets its plan's limit before the last one."""
    values, reset = [9, 8, 7], [0]

    def talk(request: replies.Request) -> scripts.Talk[None]:
        for text in request.user_texts[-1].splitlines():
            if "said by the user" in text:
                play.log()
                play.line("prompt", text)
        while values:
            if values[0] == 7:
                reset[0] = reset[0] or int(time.time()) + 15
            while time.time() < reset[0]:
                yield replies.usage_limit(reset[0])
            value = values.pop(0)
            way = "" if value == 7 else " --queue"  # as a check that takes longer than a poll is
            answer = yield from scripts.run(f"echo {value} > value; {TRIAL}{way}")
            play.agent(f"$ run_trial --description 'step'   # the value is {value} now", answer)
            yield replies.say("The turn is over.")
        yield replies.say("Nothing is left to try.")

    return talk


def test_the_manual_shows_what_happens(server: Server, background: Background) -> None:
    hold, play = Path(background.env["HOLD"]), Play(background)
    server.play(model(play))
    launched = background.launch(
        *("--iterations", 1, "--calibrate", 1, "--price", "1.25,0.125,10"),
        verify='while test -e "$HOLD"; do sleep 0.1; done; cat value',
    )
    assert launched.code == 0, launched.err
    assert background.ended()["reason"] == "iteration_cap_reached"

    hold.touch()
    play.user("start", "--iterations", "+2")
    assert until(lambda: background.log().count("runs the trial") == 2)
    play.user("tell", "leave the parser alone")
    play.user("pause")
    hold.unlink()
    assert background.ended()["reason"] == "user_paused"

    play.user("take-back", 2, "--why", "public API")
    play.user("start")
    assert until(lambda: "waiting until" in background.log())
    play.status()
    assert background.ended()["reason"] == "iteration_cap_reached", background.log()
    play.log()
    for event in journal.read(background.repo.path / "research-results.tsv").events:
        if event.get("kind") in ("agreed", "tell", "taken_back"):
            play.line("event", f"{event['kind']} {brief(event)}")
    played = "\n".join(play.lines) + "\n"
    text = GUIDE.read_text("utf-8")
    if os.environ.get("TRANSCRIPT") == "write":
        GUIDE.write_text(BLOCK.sub(lambda _: played, text, count=1), "utf-8")
    assert BLOCK.findall(text) == [played]
