from __future__ import annotations

from typing import Callable

import pytest

from tests.conftest import Ran, Repo
from tests.lab import Lab


@pytest.fixture
def lab(repo: Repo, run_script: Callable[..., Ran]) -> Lab:
    """Return a repository with `src/value` = 10 and a file outside the scope; no run yet."""
    repo.write("src/value", "10\n")
    repo.write("notes.txt", "one\n")
    repo.commit("project")
    return Lab(repo, run_script)
