"""The table of docs/recipes.md that runs each shipped check once on a real package: every row is run again here.

A row names its package and the version. Packages are those that the tests' own tools bring along. A number with `~`
depends on the machine or on the tool's version; every other one must come out the same.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest
from autoresearch.checks import kinds

from tests.conftest import Ran, Repo, require
from tests.docs.test_recipes import STAGES, node_modules, page, shown_files

HEADING = "## Each shipped check once"
# Not in the table: shown by a recipe of its own on the page; not to be had from a registry that the tests use.
ELSEWHERE = {"judge": "What only a reader can judge", "golangci": "", "clippy": "", "cargotest": ""}
# The programs that a kind needs beside Python; the first one of Node also says where its packages lie.
NEEDS = {
    **dict.fromkeys(("eslint", "call-node", "bundle", "size", "dependencies", "build", "http"), ("esbuild", "node")),
    **dict.fromkeys(("jest", "vitest", "tap"), ("esbuild", "node")),
    **dict.fromkeys(("tsc", "ts-any"), ("tsc", "node")),
    **dict.fromkeys(("gotest", "govet", "coverage-go", "gobench"), ("go",)),
    **{name: (name,) for name in ("mypy", "pyright", "ruff")},
}


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    kind: str
    package: str
    args: tuple[str, ...]
    printed: str


def rows() -> list[Row]:
    text = page().partition(HEADING)[2].partition("\n## ")[0]
    found = re.findall(r"^\| `([\w-]+)` \| ([^|]+) \| `(.+?)` \| (.+?) \|$", text, re.MULTILINE)
    return [Row(kind, on.strip(), tuple(shlex.split(line)), printed) for kind, on, line, printed in found]


def source(package: str) -> Path:
    """Where the package of that name lies here; skips (in CI fails) where it does not."""
    name = package.partition(" ")[0]
    if name.startswith("container/"):
        require("go")
        root = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
        return Path(root, "src", name)
    if name in ("sortedcontainers", "coverage"):
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.origin is not None
        return Path(spec.origin).parent
    program = "vitest" if name.startswith("@") else "esbuild"
    require(program)
    modules = node_modules((program,))
    assert modules is not None
    return modules / name


@pytest.fixture
def placed(repo: Repo) -> Callable[[Row], Repo]:
    """Return a function that copies a row's package into the repository, with the files of the page."""

    def place(row: Row) -> Repo:
        origin = source(row.package)
        python = (origin / "__init__.py").exists()
        shutil.copytree(origin, repo.path / (origin.name if python else "."), dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("__pycache__", "node_modules", "*.so"))  # fmt: skip
        for path, text in shown_files().items():
            repo.write(path, text)
        if row.package.startswith("container/"):
            repo.write("go.mod", "module list\n\ngo 1.19\n")
        modules = node_modules((row.kind,) if row.kind in ("jest", "vitest") else NEEDS.get(row.kind, ()))
        if modules and not (repo.path / "node_modules").exists():
            (repo.path / "node_modules").symlink_to(modules)
        repo.write(".gitignore", "node_modules\n")
        repo.commit("package")
        return repo

    return place


def test_every_kind_is_in_the_table_once():
    assert sorted([row.kind for row in rows()] + list(ELSEWHERE)) == sorted(kinds.KINDS)
    assert all(name in STAGES for name in ELSEWHERE.values() if name)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.kind)
def test_a_row_prints_what_the_page_says(row: Row, placed: Callable[[Row], Repo], run_script: Callable[..., Ran]):
    for name in NEEDS.get(row.kind, ()):
        if name != "go":
            require(name)
        elif not shutil.which(name):
            pytest.skip("needs go, which is not here")
    if row.kind in ("jest", "vitest"):
        require(row.kind)
    repo = placed(row)
    ran = run_script("check", row.kind, *row.args, "--findings", 0, cwd=repo.path, timeout=300)
    assert ran.code == 0, ran.err
    told = dict(re.findall(r"^METRIC (\S+)=(\S+)$", ran.out, re.MULTILINE))
    for name, about, value in re.findall(r"(\w+) (~?)(-?[\d.]+)", row.printed):
        assert float(told[name]) >= 0 if about else told[name] == value, (name, told)
    assert next(iter(told)) == re.match(r"\w+", row.printed)[0]  # type: ignore[index]
