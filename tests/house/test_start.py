"""What an entry script does first: check the interpreter, keep compiled modules out of the skill."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import HANG, SCRIPTS

STUB = "def main(name):\n    return 0\n"


@pytest.fixture
def skill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of what starts: a real entry script and package root, a stand-in for the rest."""
    monkeypatch.delenv("PYTHONPYCACHEPREFIX")
    package = tmp_path / "skill" / "scripts" / "autoresearch"
    package.mkdir(parents=True)
    shutil.copy(SCRIPTS / "autoresearch" / "__init__.py", package)
    shutil.copy(SCRIPTS / "autoresearch_decision.py", package.parent)
    (package / "cli.py").write_text(STUB)
    return package.parent


def start(skill: Path, *flags: str, **env: str) -> str:
    """Run the entry script and return its stderr; the skill's folder must come out as it went in."""
    before = sorted(skill.rglob("*"))
    command = [sys.executable, *flags, str(skill / "autoresearch_decision.py")]
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(skill.rglob("*")) == before
    return done.stderr


def compiled(folder: Path) -> list[Path]:
    """The compiled modules of the stand-in below a folder."""
    return sorted(folder.rglob("cli.*.pyc"))


def test_the_second_call_reads_what_the_first_compiled(skill: Path, sealed: Path):
    start(skill)
    (cached,) = compiled(sealed / ".cache" / "codex-autoresearch" / "pycache")
    assert f"code object from '{cached}'" in start(skill, "-v")


def test_the_cache_follows_xdg(skill: Path, tmp_path: Path):
    start(skill, XDG_CACHE_HOME=str(tmp_path / "xdg"))
    assert compiled(tmp_path / "xdg" / "codex-autoresearch" / "pycache")
    assert (tmp_path / "xdg" / "codex-autoresearch" / "pycache").stat().st_mode & 0o077 == 0


def test_a_relative_xdg_is_no_place(skill: Path, sealed: Path):
    start(skill, XDG_CACHE_HOME="cache")
    assert compiled(sealed / ".cache")


@pytest.mark.parametrize("place", ["XDG_CACHE_HOME", "HOME"])
def test_nothing_is_kept_where_others_may_write(skill: Path, tmp_path: Path, place: str):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    start(skill, **{place: str(shared)})
    assert list(shared.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_nothing_is_kept_in_the_home_of_another(skill: Path, tmp_path: Path):
    home = tmp_path / "theirs"
    home.mkdir()
    os.chown(home, 12345, 12345)
    start(skill, HOME=str(home))
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("home", ["", "relative", "/dev/null/none"])
def test_no_usable_home_is_no_error(skill: Path, home: str):
    assert start(skill, HOME=home) == ""


def test_the_users_own_prefix_is_taken(skill: Path, sealed: Path, tmp_path: Path):
    start(skill, PYTHONPYCACHEPREFIX=str(tmp_path / "mine"))
    assert compiled(tmp_path / "mine")
    assert compiled(sealed) == []


def test_a_wish_for_no_bytecode_is_kept(skill: Path, tmp_path: Path):
    start(skill, PYTHONDONTWRITEBYTECODE="1", PYTHONPYCACHEPREFIX=str(tmp_path / "mine"))
    start(skill, "-B")
    assert compiled(tmp_path) == []


def test_an_old_python_is_told_so():
    code = "import sys; sys.version_info = (3, 8, 18); import autoresearch"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=SCRIPTS, capture_output=True, text=True, check=False)
    told = f"error: Python 3.9 or newer is needed, this is {sys.version.split()[0]}\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", told)


@pytest.mark.parametrize("name", ["autoresearch/__init__.py", "autoresearch_decision.py"])
def test_an_old_python_can_read_that_far(name: str):
    ast.parse((SCRIPTS / name).read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize("flags", [(), ("-B",)], ids=["plain", "without bytecode"])
@pytest.mark.parametrize("switched_off", [False, True])
def test_an_interrupt_before_a_command_listens_is_no_traceback(skill: Path, switched_off: bool, flags: tuple[str, ...]):
    struck = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nprint('goes on')\n"
    (skill / "autoresearch" / "cli.py").write_text(struck + STUB)
    trap = "trap '' INT; " if switched_off else ""
    command = ["sh", "-c", f'{trap}exec "$@"', "sh", sys.executable, *flags, str(skill / "autoresearch_decision.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANG, check=False)
    expected = (0, "goes on\n", "") if switched_off else (-signal.SIGINT, "", "")
    assert (done.returncode, done.stdout, done.stderr) == expected
