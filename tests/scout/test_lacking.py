"""What is missing is told first, with one command that puts it outside the repository, and is used from there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable

import pytest

from tests.conftest import Ran, Repo

FILES = {
    "pkg/__init__.py": "import absent_one\nimport yamlish.inner\n\n\ndef keep(a):\n    return absent_one.of(a)\n",
    "pkg/extra.py": "try:\n    import optional_one\nexcept ImportError:\n    optional_one = None\n",
    "tests/test_it.py": "import pkg, helper_one\n\n\ndef test_it(mocker):\n    assert pkg.keep(1)\n",
    "tests/helper_one.py": "",
    "pyproject.toml": "[project]\nname = 'pkg'\ndependencies = ['Absent-One>=2', 'yamlish[fast] > 1']\n",
}


@pytest.fixture
def look(repo: Repo, run_script: Callable[..., Ran], tmp_path: Path) -> Callable[..., Ran]:
    """Return `look(files, goal, *flags)`: the scout with a cache of its own."""

    def run(files: dict[str, str], goal: str, *flags: object) -> Ran:
        for path, text in files.items():
            repo.write(path, text)
        repo.commit("project")
        env = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
        return run_script("scout", "--repo", repo.path, "--goal", goal, *flags, env=env)

    return run


def test_imports_that_are_not_there_come_first_by_the_names_that_the_manifest_has(look: Callable[..., Ran]):
    out = look(FILES, "raise the coverage", "--measure").out
    first, second = out.splitlines()[:2]
    assert first.startswith("MISSING: Absent-One>=2, yamlish[fast]>1, pytest-mock for check 1. Ask for the user's yes")
    assert " -m venv --system-site-packages " in second and second.endswith(
        " -q 'Absent-One>=2' 'yamlish[fast]>1' pytest-mock"
    )
    assert "optional" not in first and "helper" not in first
    assert "after the yes, INSTALL && python3" in out and "May I install Absent-One" in out
    assert "unless you want it sandboxed" in out and "or at 0, or when you say stop" in out
    assert len(out) <= 3600


def test_the_guard_names_the_interpreter_that_will_have_what_is_missing(look: Callable[..., Ran], tmp_path: Path):
    out = look(FILES, "fewer complex functions").out
    place = next((tmp_path / "cache/codex-autoresearch/tools").parent.glob("*"), tmp_path / "cache")
    assert f"{tmp_path}/cache/codex-autoresearch/tools/" in out.partition("guard: ")[2], place
    assert "for the tests, the guard" in out.splitlines()[0]


def test_what_was_installed_there_is_found(look: Callable[..., Ran], tmp_path: Path, repo: Repo):
    """A module stands for a package, so that no registry is asked."""
    made = look(FILES, "raise the coverage").out.splitlines()[1].partition(" && ")[0].removeprefix("INSTALL is: ")
    subprocess.run(made.replace("python3", sys.executable, 1), shell=True, check=True)
    (env,) = (tmp_path / "cache/codex-autoresearch/tools").glob("*/env")
    (site,) = env.glob("lib/python*/site-packages")
    for name in ("absent_one", "yamlish", "pytest_mock"):
        (site / f"{name}.py").write_text("def of(a):\n    return a\n")
    out = look({**FILES, "more.txt": ""}, "raise the coverage").out
    assert "Absent-One" not in out
    assert os.access(env / "bin/python3", os.X_OK) and repo.status() == ""


def test_a_dry_run_that_lacks_its_tool_says_first_how_to_get_it(
    repo: Repo, run_script: Callable[..., Ran], tmp_path: Path
):
    bare = tmp_path / "bin"
    bare.mkdir()
    for name in ("sh", "git", "env", "python3"):
        (bare / name).symlink_to(str(shutil.which(name)))
    repo.write("a.py", "def f(a):\n    return a\n")
    repo.commit("project")
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": str(bare)}
    check = f"python3 {Path(__file__).parents[2] / 'scripts/autoresearch_check.py'} vitest"
    ran = run_script("init_run", "--repo", repo.path, "--dry-run", "--metric-key", "failed", "--verify", check, env=env)
    assert ran.code == 1 and ran.err.startswith("error: first, with the user's yes: echo node_modules"), ran.err
    assert "--legacy-peer-deps vitest; then the same again" in ran.err


def test_the_next_dry_run_takes_the_refused_one_over(repo: Repo, run_script: Callable[..., Ran]):
    repo.write("value", "METRIC a=1\nMETRIC b=2\n")
    repo.commit("project")
    flags = ("--goal", "less", "--metric-name", "a", "--metric-key", "a", "--verify", "cat value")
    wrong = ("--require", "b <= baseline", "--require", "c <= baseline")
    dry = ("init_run", "--repo", repo.path, "--dry-run")
    refused = run_script(*dry, *flags, *wrong)
    assert refused.code == 1 and "--require names 'c'" in refused.err
    assert "--dry-run --as-rehearsed --require 'b <= baseline' (takes all other flags over)" in refused.err
    assert run_script("init_run", "--repo", repo.path, "--as-rehearsed").code == 1, "no dry run was answered yet"
    again = run_script(*dry, "--as-rehearsed", "--require", "b <= baseline")
    assert again.code == 0 and again.json["baseline_metric"] == 1, again.err
    assert again.json["trial"].startswith("a trial takes about 1 s, at most ")


def test_what_only_running_shows_to_be_missing_is_told_too(look: Callable[..., Ran]):
    """The module is imported within a function, so that reading alone does not tell."""
    late = "def keep(a):\n    import absent_one\n    return absent_one.of(a)\n"
    tests = {"tests/test_it.py": "import pkg\n\n\ndef test_it():\n    assert pkg.keep(1)\n"}
    out = look(
        {"pkg/__init__.py": late, **tests, "pyproject.toml": FILES["pyproject.toml"]}, "less complex", "--measure"
    ).out
    assert out.startswith("MISSING: Absent-One>=2 for the tests, the guard."), out
    assert "left out of the guard" not in out and "-m pytest" in out.partition("guard: ")[2]


def test_a_draft_is_there_where_only_the_guard_lacks_a_package_and_a_call_is_to_be_filled_in(look: Callable[..., Ran]):
    files = {
        "pkg/__init__.py": "def parse(text):\n    return text\n",
        "tests/test_it.py": "import absent_one, pkg\n\n\ndef test_it():\n    assert pkg.parse(absent_one.a)\n",
        "tox.ini": "[testenv]\ndeps =\n    absent-one<4\ncommands = pytest\n",
    }
    out = look(files, "make parse faster", "--measure").out
    assert out.startswith("MISSING: absent-one<4 for the tests, the guard."), out
    assert "fill in: CODE" in out and "\n2. " not in out
    assert "first message (yours to translate):" in out and "May I install absent-one<4 for the tests?" in out
    assert "next: send that; after the yes, INSTALL && python3 " in out and " call 'CODE' --setup " in out
    out = look({"n.txt": ""}, "less complex functions", "--measure").out
    assert (
        "Counted: complex (excess may not grow); now 0" in out and "next: send that; after the yes, INSTALL && " in out
    )
