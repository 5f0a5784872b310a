"""A check that the user names is the first proposal, and starts as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
from autoresearch.scout import quoted, sentence, surroundings
from autoresearch.scout.proposals import CheckRequest

from tests.conftest import Ran, Repo

SCORE = "import work\n\nprint(f'METRIC cycles={work.COST}')\n"
FILES = {"work.py": "COST = 5\n", "score.py": SCORE, "bench.sh": "echo 1\n"}


@pytest.fixture
def root(repo: Repo) -> Path:
    for path, text in FILES.items():
        repo.write(path, text)
    repo.commit("project")
    return repo.path


@pytest.mark.parametrize(
    ("goal", "verify", "metric", "direction"),
    [
        ('get the number of cycles that "python3 score.py" prints down', "python3 score.py", "cycles", "lower"),
        ("die Anzahl der bytes von „python3 score.py“ senken", "python3 score.py", "bytes", "lower"),
        ("increase what `./bench.sh` says", "./bench.sh", "number", "higher"),
        ("make `python3 score.py` print as few cycles as possible", "python3 score.py", "cycles", "lower"),
        ('rename "test" in `no-such-program x` and "a \' b"', None, "", ""),
    ],
)
def test_a_quoted_command_is_the_check(root: Path, goal: str, verify: str | None, metric: str, direction: str):
    project = surroundings.look(root)
    offer = quoted.proposal(project, CheckRequest(goal, said=sentence.read(project, goal)))
    if verify is None:
        assert offer is None
        return
    assert offer is not None
    assert [offer.flags[name] for name in ("verify", "metric_name", "direction")] == [verify, metric, direction]
    assert "work.py" in offer.flags["scope"]


def test_one_that_gives_no_number_is_told_so(root: Path, run_script: Callable[..., Ran]):
    goal = 'less of what "python3 work.py --against HEAD" prints'
    page = run_script("scout", "--repo", root, "--goal", goal, "--measure").out
    assert "number, lower is better: no number" in page


def test_it_comes_first_and_the_dry_run_takes_it(root: Path, run_script: Callable[..., Ran]):
    goal = 'fewer: the number of cycles that "python3 score.py" prints'
    page = run_script("scout", "--repo", root, "--goal", goal, "--measure").out
    assert "1. cycles, lower is better: 5 now" in page
    assert "scope: work.py;" in page
    assert "stand-ins" not in page
    answer = run_script("init_run", "--repo", root, "--dry-run", "--as-proposed", "1").json
    assert (answer["baseline_metric"], answer["startable"]) == (5, True)
