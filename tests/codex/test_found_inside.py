"""A run that is launched inside Codex, by a shell that has lost the CLI from its PATH: the CLI around it is found."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.codex import scripts
from tests.codex.conftest import BOUNDED, FULL_ACCESS, Exec
from tests.codex.server import Server
from tests.conftest import SCRIPTS, Ran, Repo
from tests.unattended import TRIAL, Background

pytestmark = [pytest.mark.codex, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]
WISH = "--goal g --scope value --metric-name value --direction lower --verify 'cat value' --stop-condition '<= 8'"


@pytest.fixture
def narrow(tmp_path: Path) -> Path:
    """A PATH of one folder: what a run needs, and neither codex nor node."""
    folder = tmp_path / "narrow"
    folder.mkdir()
    for name in ("bash", "sh", "env", "git", "cat", "echo", "sleep"):
        (folder / name).symlink_to(str(shutil.which(name)))
    (folder / "python3").symlink_to(sys.executable)
    return folder


@pytest.mark.parametrize("node", [True, False])
def test_a_run_is_launched_where_the_shell_has_lost_codex(
    server: Server, run_codex: Callable[..., Exec], repo: Repo, run_script: Callable[..., Ran], narrow: Path, node: bool
):
    if node:
        (narrow / "node").symlink_to(str(shutil.which("node")))
    repo.write("value", "10\n")
    repo.commit("value")
    asked = [
        f"python3 {SCRIPTS}/autoresearch_{name} --repo ." for name in ("doctor.py --format json", "environment.py")
    ]
    launch = f"python3 {SCRIPTS}/autoresearch_runtime_ctl.py launch --repo . {WISH}"
    told: list[Any] = []

    def chat(_: Any) -> scripts.Talk[None]:
        for command in (*asked, launch):
            told.append(json.loads((yield from scripts.run(f"PATH={narrow} {command} 2>/dev/null"))))
        yield from scripts.agent([])(_)

    def lowering(_: Any) -> scripts.Talk[None]:
        yield from scripts.agent(["echo 8 > value", TRIAL])(_)

    server.play(chat, lowering)
    run = Background(repo, run_script, ())
    try:
        assert run_codex((*BOUNDED, *FULL_ACCESS)).session.completed
        doctor, machine, launched = told
        assert not any("codex is not" in str(finding) or "no Codex" in str(finding) for finding in doctor["findings"])
        assert machine["codex"]["version"] and machine["codex"]["path"].endswith("codex.js" if node else "/codex")
        assert launched["status"] == "running", launched
        assert (run.ended()["reason"], run.statuses()) == ("goal_reached", ["baseline", "keep"])
    finally:
        run.close()
