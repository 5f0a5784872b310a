"""Where commits may be dropped: isolated branches and worktrees, never the branch where work is merged."""

from __future__ import annotations

import pytest
from autoresearch.kernel.run.branches import is_isolated

from tests.conftest import Repo


@pytest.mark.parametrize(
    ("steps", "isolated"),
    [
        ([], False),
        ([("branch", "-m", "trunk")], False),  # nothing says that another branch is the one of merging
        ([("switch", "-q", "-c", "faster")], True),
        ([("branch", "-m", "trunk"), ("switch", "-q", "-c", "autoresearch/faster")], True),
        ([("checkout", "-q", "--detach")], False),
    ],
)
def test_only_a_branch_beside_the_one_of_merging_is_isolated(
    repo: Repo, steps: list[tuple[str, ...]], isolated: bool
) -> None:
    for step in steps:
        repo.git(*step)
    assert is_isolated(repo.path) is isolated


def test_a_linked_worktree_is_isolated(repo: Repo) -> None:
    repo.git("worktree", "add", "-q", "--detach", "../beside")
    assert is_isolated(repo.path.parent / "beside")
