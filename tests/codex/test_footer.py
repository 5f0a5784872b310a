"""The run's state in the footer of the interactive Codex, through its status line provider."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.codex import replies, scripts
from tests.codex.server import Server
from tests.codex.test_in_the_terminal import READY, WISH, codex
from tests.conftest import SCRIPTS, Ran, Repo

pytestmark = [pytest.mark.codex, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]
__all__ = ["codex"]

SHOWN = "autoresearch foreground · value 10, no gain yet · iteration 0"
LATE = "Status line timed out"


def test_the_footer_shows_the_run(
    server: Server, codex: Any, codex_bin: str, repo: Repo, run_script: Callable[..., Ran], codex_home: Path
):
    lines = (
        f"mcp add autoresearch -- {sys.executable} {SCRIPTS}/autoresearch_statusline.py",
        "features enable tui_extensions_statusline",
    )
    for line in lines:
        subprocess.run([codex_bin, *shlex.split(line)], check=True, capture_output=True, timeout=60)
    assert run_script("init_run", "--repo", repo.path, *shlex.split(WISH)).code == 0
    server.play(scripts.always(replies.say("hello")))
    terminal = codex()
    assert terminal.waits_for(READY)
    terminal.says("hi", lambda: bool(server.requests))
    terminal.keys("/statusline\r")
    assert terminal.waits_for("Choose a status line provider")
    terminal.keys("\r")
    assert terminal.waits_for(r"2\. Autoresearch run"), terminal.text()[-500:]
    terminal.keys("2")  # chosen; back in the first list
    terminal.keys("\x1b", 0)
    assert terminal.waits_for(f"{SHOWN}|{LATE}"), terminal.text()[-500:]
    if re.search(LATE, terminal.text()):  # Codex waits for a provider for so long; it asks again in the next turn
        asked = len(server.requests)
        terminal.says("hi", lambda: len(server.requests) > asked)
    assert terminal.waits_for(SHOWN), terminal.text()[-500:]
    repo.write("value", "7\n")
    assert run_script("run_trial", "--repo", repo.path, "--description", "seven").json["status"] == "keep"
    assert terminal.waits_for("10 → 7|iteration 1"), terminal.text()[-500:]
