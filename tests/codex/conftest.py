"""The real Codex CLI in a sealed home, talking to a scripted model.

Fixtures: `codex_bin`, `server`, `codex_home` (used by every test here), `run_codex`. Constants: `BOUNDED`,
`FULL_ACCESS`, `SANDBOXED`: arguments of `codex exec`.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import pytest
from autoresearch.background.agent import ErrorClass, SessionOutput
from autoresearch.codex.codex_errors import classify, start_up_error
from autoresearch.codex.codex_events import after_line

from tests.codex.server import Server
from tests.conftest import HANG, Repo, require

BOUNDED = ("-c", "features.unbounded_connection_retries=false")
FULL_ACCESS = ("-s", "danger-full-access")
# The tests live below the temporary folder, which a sandboxed session may otherwise write to.
SANDBOXED = (
    *("-s", "workspace-write"),
    *("-c", "sandbox_workspace_write.exclude_slash_tmp=true"),
    *("-c", "sandbox_workspace_write.exclude_tmpdir_env_var=true"),
)

# `unbounded_connection_retries` is left on, as it is for a user: whoever needs it off has to say so.
CONFIG = """
model = "gpt-5.5"
model_provider = "local"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.local]
name = "local test server"
base_url = "http://127.0.0.1:{port}/v1"
wire_api = "responses"
requires_openai_auth = false
supports_websockets = false
request_max_retries = 1
stream_max_retries = 1
stream_idle_timeout_ms = 20000
"""


def read_stream(lines: Iterable[bytes | str]) -> SessionOutput:
    """The session that a whole stream tells of."""
    return reduce(after_line, lines, SessionOutput())


@dataclass(frozen=True)
class Exec:
    """What one `codex exec --json` left: exit code, event stream, diagnostics, last message."""

    code: int
    out: bytes
    err: str
    last_message: str

    @property
    def session(self) -> SessionOutput:
        """The event stream, folded."""
        return read_stream(self.out.splitlines())

    @property
    def ending(self) -> ErrorClass:
        """Why it ended, as a controller would judge."""
        session = self.session
        return classify(session.failure or start_up_error(self.err), self.code, session.completed)


@pytest.fixture
def codex_bin() -> str:
    """Return the path of the real CLI; without it the test is skipped, or fails where CI is set."""
    return require("codex")


@pytest.fixture
def server() -> Iterator[Server]:
    """Return a running endpoint; say with `server.play(script, ...)` what its model does."""
    made = Server()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def codex_home(sealed: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Configure the CLI, at its usual place in the sealed home, for the scripted model; return its folder."""
    folder = sealed / ".codex"
    folder.mkdir()
    (folder / "config.toml").write_text(CONFIG.format(port=server.port))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return folder


@pytest.fixture
def run_codex(codex_bin: str, repo: Repo, tmp_path: Path) -> Callable[..., Exec]:
    """Return `run_codex(args, prompt="go", cwd=None, timeout=HANG)`: one `codex exec --json`.

    It works in `repo`, or in `cwd` when given, with the prompt on stdin. Past `timeout` seconds the whole
    process group is killed and the test fails.
    """
    last = tmp_path / "last-message.txt"

    def run(args: Sequence[str], prompt: str = "go", cwd: Path | None = None, timeout: float = HANG) -> Exec:
        folder = str(cwd or repo.path)
        command = [codex_bin, "exec", "--json", "-C", folder, "-o", str(last), *args, "-"]
        out, err, code = _run(command, prompt, timeout)
        return Exec(code, out, err.decode(), last.read_text() if last.exists() else "")

    return run


def _run(command: list[str], prompt: str, timeout: float) -> tuple[bytes, bytes, int]:
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True) as child:
        try:
            out, err = child.communicate(prompt.encode(), timeout)
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise
    return out, err, child.returncode
