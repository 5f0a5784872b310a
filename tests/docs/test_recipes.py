"""The recipes of docs/recipes.md: each one's dry run is made here, on a small project, with the files of that page.

Read are the page's own code blocks. A recipe whose program is not installed is skipped by name, or fails where CI is
set. For each recipe the check must give a number and the guard pass, and after one break of the program there must be
no number.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest
from autoresearch.kernel.core import scope

from tests.conftest import ROOT, Ran, Repo, require

SYNTAX = "def broken(:\n"
SQLPARSE = """\
def format(text: str, **options: object) -> str:
    return text.upper()


def parse(text: str) -> list[str]:
    return [line for line in text.split(";") if line.strip()]


def untyped(value):
    return value
"""
KNOWN = "aa3f3fb1c90c"  # what checks/latency.py gets from it
SQLITE = """\
class Database:
    def __init__(self, connection):
        self.connection = connection

    def __getitem__(self, name):
        return Table(self.connection)


class Table:
    def __init__(self, connection):
        self.run = connection.execute

    def insert_all(self, rows, pk):
        self.run("create table dogs (id integer primary key, name text)")
        for row in rows:
            self.upsert(row, pk)

    def upsert(self, row, pk):
        self.run("insert or replace into dogs values (:id, :name)", row)

    @property
    def count(self):
        return self.run("select count(*) from dogs").fetchone()[0]

    def get(self, key):
        return dict(zip(("id", "name"), self.run("select id, name from dogs where id = ?", (key,)).fetchone()))
"""
APP = """\
import http.server


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"item\\n" * 50
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass
"""
TRAIN = """\
def fit(rows, seed):
    share = sum(row[-1] for row in rows) / len(rows)
    return lambda row: [1 - share, share]
"""
TEST = "def test_one():\n    assert 1 == 1\n"
FAILING = TEST + "\n\ndef test_two():\n    assert 1 == 2\n"
FLAKY = TEST + '\n\ndef test_order():\n    assert list({"a", "b"}) == ["a", "b"]\n'
ROWS = "0,0\n1,1\n2,0\n3,1\n"


@dataclass(frozen=True)
class Stage:
    """What a recipe needs: files of a small project, the edit that breaks it, programs or modules."""

    files: dict[str, str]
    broken: tuple[str, str | None]  # the path and its new text, None to remove it
    needs: tuple[str, ...] = ()


PARSER = Stage({"sqlparse/__init__.py": SQLPARSE, "tests/test_it.py": TEST}, ("sqlparse/__init__.py", SYNTAX))
QS = {
    "lib/index.js": "var unused = 1\nmodule.exports = {}\n",
    "test/a.js": "require('tape')('a', t => t.end())\n",
    "eslint.check.mjs": "import js from '@eslint/js'\nexport default [js.configs.recommended]\n",
}
COVERED = {**PARSER.files, "tests/test_it.py": "import sqlparse\n\n" + TEST}
QUERIES = {f"tests/test_{name}.py": TEST for name in ("create", "upsert", "get", "introspect")}
TRAINING = {"train.py": TRAIN, **dict.fromkeys(("data/train.csv", "data/valid.csv", "../held-out/data.csv"), ROWS)}
TYPESCRIPT = {"src/a.ts": "export let a: any = 1\n", "tsconfig.json": "{}"}
JUDGED = {"docs/guide.md": "1. Run `a`\n", "anchors/good/a.md": "1. Run `a`\n2. See `b`\n", "anchors/bad/a.md": "Run\n"}
# One stage for each command of a recipe.
STAGES = {
    "Test coverage": [Stage(COVERED, PARSER.broken, ("pytest_cov",))],
    "Failing tests": [Stage({"toolz/tests/test_it.py": FAILING, "toolz/work.py": ""}, ("toolz/tests/test_it.py", ""))],
    "Flaky tests": [Stage({"deepmerge/test_it.py": FLAKY, "deepmerge/work.py": ""}, ("deepmerge/test_it.py", ""))],
    "Types: TypeScript": [Stage(TYPESCRIPT, ("src/a.ts", None), ("node", "tsc"))],
    "Types: Python": [Stage(PARSER.files, PARSER.broken, ("mypy",))],
    "Lint": [
        Stage(PARSER.files, ("ruff.toml", "nonsense = 1\n"), ("ruff",)),
        Stage(QS, ("lib/index.js", "var ="), ("eslint", "tape")),
    ],
    "Latency of a function": [PARSER],
    "Latency of an HTTP handler": [Stage({"app.py": APP}, ("app.py", APP.replace("200", "500")))],
    "Start-up time": [PARSER],
    "Memory": [PARSER],
    "Bundle size": [Stage(QS, ("lib/index.js", "var ="), ("esbuild", "tape"))],
    "Query count": [
        Stage(
            {"sqlite_utils/__init__.py": SQLITE, **QUERIES},
            ("sqlite_utils/__init__.py", SQLITE.replace("or replace", "or ignore")),
        )
    ],
    "What only a reader can judge": [Stage(JUDGED, ("anchors/bad/a.md", JUDGED["anchors/good/a.md"]))],
    "Training a model": [Stage(TRAINING, ("train.py", TRAIN.replace("1 - share", "1")))],
}
CASES = [(name, index) for name, stages in STAGES.items() for index in range(len(stages))]


def page() -> str:
    """The page of recipes."""
    return (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")


def recipes() -> dict[str, str]:
    parts = re.split(r"^## (.+)\n", page(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def shown_files() -> dict[str, str]:
    """Files that the page shows: code blocks whose first line is a comment with their path."""
    blocks: list[str] = re.findall(r"^```\w+\n(.*?)^```", page(), re.MULTILINE | re.DOTALL)
    named = ((re.match(r"(?:#|//) ((?:checks|held-out)/[\w.]+)", block), block) for block in blocks)
    return {("../" if match[1].startswith("held") else "") + match[1]: block for match, block in named if match}


def commands(recipe: str) -> list[list[str]]:
    """The arguments of each `init_run` that a recipe quotes."""
    blocks: list[str] = re.findall(r"^```sh\n(python3 .*?)^```", recipe, re.MULTILINE | re.DOTALL)
    texts = (block.replace("\\\n", " ").replace("<skill-root>", str(ROOT)) for block in blocks)
    return [shlex.split(text)[2:] for text in texts]


def node_modules(needs: tuple[str, ...]) -> Path | None:
    """The folder that holds the Node programs of a recipe, found by the first one on PATH."""
    for name in needs:
        for folder in Path(os.path.realpath(shutil.which(name) or os.sep)).parents:
            if folder.name == "node_modules":
                return folder
    return None


@pytest.fixture
def built(repo: Repo) -> Callable[[Stage], Repo]:
    """Return a function that makes a recipe's project: its files and all that the page shows, committed."""

    def build(stage: Stage) -> Repo:
        for path, text in {**shown_files(), **stage.files, ".gitignore": "__pycache__/\nnode_modules\n"}.items():
            repo.write(path, re.sub('KNOWN = ".*"', f'KNOWN = "{KNOWN}"', text))
        modules = node_modules(stage.needs)
        if modules:
            (repo.path / "node_modules").symlink_to(modules)
        repo.commit("project")
        return repo

    return build


def test_every_recipe_is_run_here_and_no_other():
    quoted = {name: len(commands(text)) for name, text in recipes().items() if name != "Each shipped check once"}
    assert quoted == {name: len(stages) for name, stages in STAGES.items()}


@pytest.mark.timeout(3600)  # the flaky tests are run under fifteen seeds, twice
@pytest.mark.parametrize(("name", "index"), CASES)
def test_a_recipe_measures_and_gives_no_number_for_a_broken_program(
    name: str, index: int, built: Callable[[Stage], Repo], run_script: Callable[..., Ran]
):
    stage = STAGES[name][index]
    for part in stage.needs:
        if not importlib.util.find_spec(part):
            require(part)
    flags = commands(recipes()[name])[index]
    repo = built(stage)
    ran = run_script("init_run", "--repo", repo.path, "--calibrate", 1, *flags, timeout=1800)
    assert ran.code == 0, ran.err
    assert ran.json["guard"] == ("pass" if "--guard" in flags else "-")
    inside = scope.matcher(flags[flags.index("--scope") + 1])
    assert "--protect" in flags or not [file for file in ran.json["protected"] if inside(file)]
    assert repo.status() == ""
    path, text = stage.broken
    (repo.path / path).unlink() if text is None else repo.write(path, text)
    refused = run_script("init_run", "--repo", repo.path, "--calibrate", 1, *flags, timeout=1800)
    assert refused.code == 1 and "the check gives no number" in refused.err, (refused.out, refused.err)
