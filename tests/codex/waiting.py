"""Runs the tries of `test_waiting.py` at full length and writes what they found to `waiting.md`; some 30 minutes.

    python3 -m tests.codex.waiting [pytest arguments]

The Codex CLI is the one on PATH, or the one that AUTORESEARCH_CODEX_BIN names.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
LENGTHS = {"VERIFY": "120", "TRIALS": "30", "RESET": "90", "ROUNDS": "20"}
FIRST = "requests_between"  # sleeps for the most part, so the others run beside it
HEAD = """# Waiting on the real CLI

What `tests/codex/test_waiting.py` found at full length with {version} and the scripted model, written by
`python3 -m tests.codex.waiting`. CI runs seconds of each try. "Requests while it ran" are those to the model between
the edit and the trial's answer; each holds the whole history.

| Try | Found |
|---|---|
"""


def _start(table: Path, chosen: str, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """A part of the tries, beside the other one."""
    table.touch()
    env = {**os.environ, **{f"WAITING_{name}": value for name, value in LENGTHS.items()}, "WAITING_TABLE": str(table)}
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-k", chosen]
    return subprocess.Popen([*command, str(HERE / "test_waiting.py"), *arguments], cwd=HERE.parent.parent, env=env)


def main(arguments: Sequence[str]) -> int:
    """Run them all and write the table; the exit code is pytest's."""
    codex = os.environ.get("AUTORESEARCH_CODEX_BIN", "codex")
    version = subprocess.run([codex, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    with tempfile.TemporaryDirectory() as folder:
        parts = [Path(folder) / name for name in ("waits", "kills")]
        running = [_start(part, chosen, arguments) for part, chosen in zip(parts, (FIRST, f"not {FIRST}"))]
        code = max([child.wait() for child in running])
        found = [json.loads(line) for part in parts for line in part.read_text("utf-8").splitlines()]
    rows = "".join(f"| {what} | {text} |\n" for what, text in found)
    (HERE / "waiting.md").write_text(HEAD.format(version=version) + rows, "utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
