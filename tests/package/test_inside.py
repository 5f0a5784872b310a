"""The skill lies inside the repository that it improves, and the check names it: all that measures elsewhere works."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Repo
from tests.package.test_kept import run, script

INSIDE = ".agents/skills/codex-autoresearch"
TREE = Path(__file__).resolve().parents[2]
SOURCE = '"""m."""\n\n\ndef a():\n    pass\n\n\ndef b():\n    pass\n\n\ndef c():\n    pass\n\n\ndef d():\n    pass\n'


def put(repo: Repo, how: str) -> None:
    """Lay the skill into the repository: ignored, untracked, tracked, as a link, or as a submodule."""
    place = repo.path / INSIDE
    place.parent.mkdir(parents=True)
    real = repo.path.parent / "elsewhere" if how in ("link", "submodule") else place
    for part in ("scripts", "references", "agents"):
        shutil.copytree(TREE / part, real / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(TREE / "SKILL.md", real)
    if how == "link":
        place.symlink_to(real)
    if how == "submodule":
        subprocess.run(["git", "init", "-q", str(real)], check=True)
        Repo(real).commit("skill")
        repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(real), INSIDE)
    if how in ("ignored", "link"):
        (repo.path / ".git/info/exclude").write_text(".agents\n")
    if how in ("tracked", "submodule"):
        repo.commit("the skill")


def checked(repo: Repo, form: str) -> str:
    """The check: what the skill says of `pkg`, the skill named by an absolute path, from the top, or from a folder."""
    rest = "scripts/autoresearch_check.py docs"
    if form == "absolute":
        return f"python3 {repo.path / INSIDE}/{rest} pkg"
    return f"python3 {INSIDE}/{rest} pkg" if form == "relative" else f"cd pkg && python3 ../{INSIDE}/{rest} ."


@pytest.mark.parametrize(
    ("how", "form"), [("ignored", "absolute"), ("untracked", "relative"), ("submodule", "from a folder")]
)
def test_a_check_by_the_skills_own_path_runs_in_every_checkout(repo: Repo, how: str, form: str):
    repo.write("pkg/__init__.py", '"""p."""\n')
    repo.write("pkg/m.py", SOURCE)
    repo.commit("functions without a word")
    put(repo, how)
    place = repo.path / INSIDE

    def call(name: str, *flags: object) -> Any:
        return run(script(place, name), *flags, cwd=repo.path)

    wish = ("--goal", "docs", "--scope", "pkg/**", "--metric-name", "undocumented", "--parallel-mode", "parallel")
    call("init_run", *wish, "--verify", checked(repo, form), "--guard", f"{sys.executable} -c 'import pkg.m'")
    for name, left in (("a", 3), ("b", 2)):
        text = repo.read("pkg/m.py").replace(f"def {name}():\n", f'def {name}():\n    """{name}, said in words."""\n')
        repo.write("pkg/m.py", text)
        told = call("run_trial", "--description", name)
        assert (told["status"], told["metric"]) == ("keep", left), told
    total = call("total", "--format", "json")
    assert (total["true"]["before"], total["true"]["after"]) == (4, 2)
    opened = call("run_batch", "open", "--workers", 2, "--oversubscribe")
    for worker, name in zip(opened["workers"], "cd"):
        where = Repo(Path(worker["path"]))
        text = where.read("pkg/m.py").replace(f"def {name}():\n", f'def {name}():\n    """{name}, said in words."""\n')
        where.write("pkg/m.py", text)
    closed = call("run_batch", "close")
    assert (closed["status"], closed["metric"]) == ("keep", 1), closed
    call("run_batch", "open", "--workers", 2, "--oversubscribe")
    call("run_batch", "abort")
    made = call("finalize", "--branch", "clean", "--prune", "--format", "json")
    assert (made["metric"]["status"], made["metric"]["measured"], made["guard"]) == ("pass", 0, "pass")
    call("report", "--worth")
    assert "not known" not in (repo.path / "autoresearch-evidence/report.md").read_text()
    assert INSIDE not in repo.git("diff", "--name-only", "HEAD~2", "clean")
