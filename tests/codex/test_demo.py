"""The demo with the installed Codex in the scripted agent's place."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.codex import scripts
from tests.codex.server import Server
from tests.conftest import SCRIPTS

pytestmark = pytest.mark.codex


def test_codex_makes_the_edits(server: Server, codex_bin: str, run_script: Callable[..., Any], tmp_path: Path) -> None:
    trial = f"{sys.executable} {SCRIPTS / 'autoresearch_run_trial.py'} --description 'a comment more'"
    server.play(scripts.researcher(lambda n: f"echo '# {n}' >> concord/scan.py", trial, trials=4))
    ran = run_script("demo", "--codex", "--keep", tmp_path / "kept", env={"AUTORESEARCH_CODEX_BIN": codex_bin})
    assert ran.code == 0, ran.err
    assert (ran.json["ended"], ran.json["iterations"], ran.json["sessions"]) == ("iteration_cap_reached", 6, 2)
    assert ran.json["keeps"] == 0 and ran.json["clean"] is True
