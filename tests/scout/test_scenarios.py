"""A method that the goal names is timed as a test calls it, with its fixtures put in place."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

from autoresearch.scout import scenarios, surroundings

from tests.conftest import Ran, Repo

FILES = {
    "store/__init__.py": (
        "class Store:\n    def __init__(self, rows):\n        self.rows = rows\n\n"
        "    def search(self, least):\n        return [row for row in self.rows if row >= least]\n"
    ),
    "tests/conftest.py": (
        "import pytest\nfrom store import Store\n\nSIZE = 40\n\n\n@pytest.fixture(params=[SIZE, 3])\n"
        "def rows(request):\n    '''Rows.'''\n    yield list(range(request.param))\n\n\n"
        "@pytest.fixture\ndef db(rows, tmp_path):\n    return Store(rows)\n"
    ),
    "tests/test_store.py": (
        "import pytest\n\n\ndef test_other(db):\n    assert db\n\n\n"
        "@pytest.mark.parametrize('least, many', [(5, 35), (1, 39)])\n"
        "def test_search(db, least, many):\n    limit = least\n    assert len(db.search(limit)) == many\n"
        "    assert db.search(39) == [39]\n\n\ndef test_unknown(mocker, db):\n    assert db.search(mocker)\n"
    ),
}


def test_fixtures_parameters_and_helpers_become_statements(repo: Repo):
    for path, text in FILES.items():
        repo.write(path, text)
    repo.commit("project")
    (found,) = scenarios.of(surroundings.look(Path(repo.path)), "search")
    assert (found.code, found.source) == ("[db.search(limit), db.search(39)]", "tests/test_store.py")
    lines = found.setup.split("\n")
    assert lines[0] == "SIZE = 40" and "from store import Store" in lines
    assert "least = 5" in lines and lines[-1] == "limit = least"
    assert "mocker" not in found.setup and "fixture" not in found.setup


def test_the_goal_in_another_language_finds_the_method(repo: Repo, run_script: Callable[..., Ran]):
    for path, text in FILES.items():
        repo.write(path, text)
    repo.commit("project")
    out = run_script("scout", "--repo", repo.path, "--goal", "das Suchen ist zu langsam", "--measure").out
    assert "1. search, lower is better: " in out and "no number" not in out, out
    assert "verify: CHECK call '[db.search(limit), db.search(39)]'" in out


def test_without_tests_calls_of_documents_are_held_and_the_busiest_is_timed(repo: Repo, run_script: Callable[..., Ran]):
    """The name of the second function stands in the documents alone; a goal without a name takes the busiest."""
    repo.write("lib/__init__.py", 'def twice(a):\n    """Two.\n\n    >>> twice([1, 2])\n    """\n    return a * 2\n')
    repo.write("lib/more.py", "def half(a):\n    return a / 2\n")
    repo.write("README.md", ">>> half(4)\n2.0\n>>> twice('ab')\n")
    repo.commit("project")
    out = run_script("scout", "--repo", repo.path, "--goal", "it is too complex", "--measure").out
    assert """guard: CHECK answers 'twice([1, 2])' 'half(4)' --setup 'from lib import twice; from lib.more""" in out, (
        out
    )
    out = run_script("scout", "--repo", repo.path, "--goal", "make it faster").out
    assert "1. twice, lower is better" in out and "names no function, tests and documents call twice most" in out, out
