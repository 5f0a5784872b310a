"""A check that deletes, empties or replaces git's folder: all of it comes back, and the user's work stays."""

from __future__ import annotations

import os
import signal

import pytest

from tests.lab import Lab, armed, refused

AGAIN = ("--scope", "src/", "--metric-name", "c", "--direction", "lower", "--environment-summary", "x")
# `$m` is rm: what a check says outright is refused before it runs.
ACTS = {
    "all of it": "$m -rf .git",
    "what is in it": "$m -rf .git/* .git/.??*",
    "made anew": "$m -rf .git; git init -q; git -c user.name=x -c user.email=x commit -qm x --allow-empty",
    "a file in its place": "$m -rf .git; echo x > .git",
    "a link in its place": "$m -rf .git; ln -s nowhere .git",
    "a pipe in its place": "$m -rf .git; mkfifo .git",
    "its files": "find .git -type f -delete",
    "objects": "$m -rf .git/objects",
    "loose objects": "$m -rf .git/objects/??",
    "packs": "$m -f .git/objects/pack/*",
    "refs": "$m -rf .git/refs",
    "packed refs": "$m .git/packed-refs",
    "logs": "$m -rf .git/logs",
    "hooks": "$m -rf .git/hooks .git/info",
    "objects are a file": "$m -rf .git/objects; echo x > .git/objects",
    "refs are a link": "$m -rf .git/refs; ln -s nowhere .git/refs",
    "moved into itself": "mkdir away; n=mv; $n .git away/x; $m -rf away",
}
NAMES = {f"{name}: {act}": act for name, act in ACTS.items()}


def peopled(lab: Lab) -> None:
    """A repository with a branch, a tag, a stash, a hook, packed and loose, and uncommitted work."""
    git = lab.repo.git
    lab.repo.write("notes.txt", "put away\n")
    lab.repo.commit("notes")
    git("branch", "side")
    git("pack-refs", "--all")
    git("gc", "-q")
    lab.repo.write("notes.txt", "stashed\n")
    git("stash", "-q")
    git("tag", "mark")
    hook = lab.path / ".git/hooks/pre-push"
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o755)
    lab.repo.write("notes.txt", "mine\n")
    lab.repo.write("draft.txt", "mine\n")


def known(lab: Lab) -> dict[str, str]:
    """What git knows beside the branch that the run is on."""
    refs = dict(line.split(" ")[::-1] for line in lab.repo.git("show-ref").split("\n"))
    refs.pop("refs/heads/main")
    lab.repo.git("fsck", "--strict")
    return {
        **refs,
        "stash": lab.repo.git("stash", "list"),
        "work": lab.repo.status(),
        "log": lab.repo.git("reflog", "--format=%h %gs"),
    }


@pytest.mark.parametrize("act", NAMES)
def test_what_a_check_deletes_of_git_comes_back(lab: Lab, act: str):
    peopled(lab)
    armed(lab, "m=rm; " + NAMES[act])
    before = known(lab)
    answer = lab.trial(8)
    assert (answer["status"], lab.repo.read("src/value")) == ("crash", "10\n")
    assert "breaks git" in answer["decision"]
    now = known(lab)
    assert now.pop("log").endswith(before.pop("log"))
    assert now == before
    assert (lab.repo.read("notes.txt"), lab.repo.read("draft.txt")) == ("mine\n", "mine\n")
    assert (lab.path / ".git/hooks/pre-push").exists()
    assert lab.trial(7)["status"] == "keep"


@pytest.mark.parametrize("dry", [True, False])
def test_at_the_set_up_it_is_refused_and_all_is_there(lab: Lab, dry: bool):
    peopled(lab)
    before, names = known(lab), sorted(os.listdir(lab.path))
    flags = ("--verify", "m=rm; $m -rf .git; cat src/value", *AGAIN, *(["--dry-run"] if dry else []))
    refused(lab.call("init_run", *flags), "the check breaks git")
    refused(lab.call("init_run", "--verify", "rm -rf .git; cat src/value", *AGAIN), "deletes or moves .git")
    assert (known(lab), sorted(os.listdir(lab.path))) == (before, names)


def test_the_command_that_follows_a_killed_one_says_how_it_comes_back(lab: Lab):
    peopled(lab)
    armed(lab, "m=rm; $m -rf .git; kill -9 $PPID")
    before = known(lab)
    lab.value(12)
    assert lab.try_out().code == -signal.SIGKILL
    told = refused(lab.try_out(), "is gone", "mv autoresearch-evidence/.git-kept")
    assert os.system(told.partition("still there: ")[2].partition(", then")[0]) == 0
    assert lab.trial()["status"] == "discard"
    assert known(lab)["stash"] == before["stash"]


def test_where_the_second_names_are_deleted_too_it_is_said(lab: Lab):
    saved = lab.path.parent / "saved"
    armed(lab, f"cp -a .git {saved}; m=rm; $m -rf .git autoresearch-evidence/.git-kept research-results.tsv")
    before = (lab.path / "research-results.tsv").read_bytes()
    lab.value(12)
    refused(lab.try_out(), "the check deleted or moved", "Bring it back")
    assert ((lab.path / "research-results.tsv").read_bytes(), (lab.path / ".git").exists()) == (before, False)
    refused(lab.try_out(), "git refused: not a git repository")
    saved.rename(lab.path / ".git")
    assert (lab.trial()["status"], lab.repo.status()) == ("discard", "")


def test_cleaning_up_by_git_itself_is_no_damage(lab: Lab):
    peopled(lab)
    armed(lab, "git gc -q --prune=now; git prune; git pack-refs --all; git reflog expire --all --expire=now")
    assert lab.trial(8)["status"] == "keep"
    armed_again = lab.path.parent / "arm"
    armed_again.touch()
    assert lab.trial(7)["status"] == "keep"
