"""Runs kept apart: on a branch, or in a worktree beside the repository."""

from __future__ import annotations

import pytest

from tests.background.conftest import Scripted, background
from tests.conftest import Repo
from tests.unattended import TRIAL, until

__all__ = ["background"]  # the fixture


def worktree(background: Scripted) -> Repo:
    """The checkout of an isolated run."""
    return Repo(background.repo.path.parent / "repo-autoresearch-night")


def test_a_branch_of_its_own(background: Scripted):
    background.plan(["echo 1 > value", TRIAL])
    background.repo.write("draft", "mine\n")
    assert background.launch("--isolation", "branch", "--stop-condition", "<= 1").json["isolation"] == "branch"
    background.ended()
    assert background.repo.git("branch", "--show-current") == "autoresearch/night"
    assert background.repo.git("show", "main:value") == "10"
    assert background.repo.git("show", "autoresearch/night:value") == "1"
    assert background.repo.status() == "?? draft"


def test_a_branch_that_is_there_and_checked_out_is_taken_as_it_is(background: Scripted):
    background.plan(["echo 1 > value", TRIAL])
    background.repo.git("switch", "--quiet", "--create", "autoresearch/night")
    background.repo.write("check.sh", "cat value\n")
    base = background.repo.commit("a check")
    answer = background.launch("--isolation", "branch", "--stop-condition", "<= 1", verify="sh check.sh").json
    assert (answer["isolation"], answer["branch"]) == ("branch", "autoresearch/night")
    background.ended()
    assert background.repo.git("rev-parse", "HEAD~1") == base
    assert background.repo.git("show", "main:value") == "10"


def test_a_worktree_beside_the_repository(background: Scripted):
    background.repo.write("deps/tool", "echo from deps\n")
    background.repo.write(".git/info/exclude", "deps/\nmade\n")
    background.plan(["pwd -P && sh deps/tool && cat made && echo 1 > value", TRIAL])
    background.repo.write("value", "55\n")  # the user's own, in the user's own tree
    args = ("--isolation", "worktree", "--link", "deps", "--setup", "echo ready > made", "--stop-condition", "<= 1")
    ran = background.launch(*args)
    assert ran.code == 0, ran.err
    background.ended()
    made = worktree(background)
    assert f"\n{made.path.resolve()}\nfrom deps\nready" in background.outputs()
    assert made.read("value") == "1\n" and made.git("branch", "--show-current") == "autoresearch/night"
    assert background.repo.read("value") == "55\n" and background.repo.git("branch", "--show-current") == "main"
    assert made.status() == "" and background.repo.status() == " M value"
    assert background.statuses() == ["baseline", "keep"]
    assert not (made.path / "research-results.tsv").exists()
    inside = background.ctl("status", cwd=made.path).json
    assert inside["reason"] == "goal_reached" and inside == background.status()


@pytest.mark.parametrize("kind", ["branch", "worktree"])
def test_a_failed_launch_takes_it_back(background: Scripted, kind: str):
    before = background.repo.git("for-each-ref"), background.repo.git("worktree", "list")
    refused = background.launch("--isolation", kind, verify="echo none")
    assert refused.code == 1 and "gives no number" in refused.err
    assert (background.repo.git("for-each-ref"), background.repo.git("worktree", "list")) == before
    assert background.repo.git("branch", "--show-current") == "main"
    assert not worktree(background).path.exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--isolation", "worktree", "--setup", "echo no tool >&2; exit 7"), "--setup failed (exit code 7): no tool"),
        (("--isolation", "worktree", "--link", "nowhere"), "--link nowhere is not there"),
        (("--isolation", "worktree", "--link", "../home"), "--link ../home is not there"),
        (("--isolation", "worktree", "--link", "value"), "--link value is part of the checkout"),
        (("--isolation", "worktree", "--no-baseline"), "do not go together"),
    ],
)
def test_what_cannot_be_made_is_refused(background: Scripted, args: tuple[str, ...], said: str):
    refused = background.launch(*args)
    assert refused.code == 1 and said in refused.err
    assert not worktree(background).path.exists()
    assert background.repo.git("branch", "--list", "autoresearch/*") == ""


def test_an_earlier_run_of_the_name_is_not_touched(background: Scripted):
    background.repo.git("branch", "autoresearch/night")
    refused = background.launch("--isolation", "worktree")
    assert refused.code == 1 and "--run-tag" in refused.err
    assert not worktree(background).path.exists()


def test_stop_cleans_the_worktree_alone(background: Scripted):
    background.plan(["echo 9 > value; touch junk; sleep 300"])
    background.launch("--isolation", "worktree", "--scope", "value junk")
    background.repo.write("value", "55\n")
    assert until((worktree(background).path / "junk").exists)
    assert background.ctl("stop", "--grace-seconds", 2).json["reason"] == "user_stopped"
    assert worktree(background).status() == "" and background.repo.read("value") == "55\n"
