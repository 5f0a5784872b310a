"""What git does not show is the user's: no trial commits or deletes it, however it becomes visible."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab import Lab, refused

MINE = {".env": "SECRET=1\n", "node_modules/x/index.js": "x\n", "sub/keys/id": "k\n", ".venv/lib/a.py": "a\n"}


def edited(lab: Lab) -> None:
    lab.repo.write(".gitignore", "dist/\n")


def deleted(lab: Lab) -> None:
    (lab.path / ".gitignore").unlink()


def unignored_below(lab: Lab) -> None:
    lab.repo.write("sub/.gitignore", "!keys/\n")
    lab.repo.write(".gitignore", "node_modules/\n.venv\n")


def bared_folder(lab: Lab) -> None:
    (lab.path / ".venv/.gitignore").unlink()


def cleared_exclude(lab: Lab) -> None:
    (lab.path / ".git/info/exclude").write_text("/autoresearch-*\n/research-results*\n")


def other_home(lab: Lab) -> None:
    home = lab.path.parent / "other"
    home.mkdir()
    lab.env["GIT_CONFIG_GLOBAL"] = str(home / "none")
    lab.env["HOME"] = str(home)


@pytest.mark.parametrize(
    "expose", [edited, deleted, unignored_below, bared_folder, cleared_exclude, other_home], ids=lambda f: f.__name__
)
def test_ignored_files_are_refused_by_name_when_they_become_visible(
    lab: Lab, sealed: Path, expose: Callable[[Lab], None]
):
    lab.scope = "."
    lab.repo.write(".gitignore", ".env\nnode_modules/\nsub/keys/\n")
    lab.repo.commit("ignore")
    for name, text in MINE.items():
        lab.repo.write(name, text)
    lab.repo.write(".venv/.gitignore", "*\n")
    lab.repo.write(".git/info/exclude", "private.txt\n")
    lab.repo.write("private.txt", "p\n")
    (sealed / ".config/git").mkdir(parents=True)
    (sealed / ".config/git/ignore").write_text("global.txt\n")
    lab.repo.write("global.txt", "g\n")
    lab.init()
    expose(lab)
    lab.value(20)
    lab.repo.write("src/new", "new\n")
    refused(lab.try_out(), "was ignored when this run began")
    for name, text in {**MINE, "private.txt": "p\n", "global.txt": "g\n"}.items():
        assert lab.repo.read(name) == text
    assert lab.repo.git("log", "--format=%s") == "ignore\nproject\nstart"


def test_what_the_user_ignored_later_is_known_by_the_committed_rules(lab: Lab):
    lab.scope = "."
    lab.repo.write(".gitignore", "*.key\n")
    lab.repo.commit("ignore")
    lab.init()
    lab.repo.write("late.key", "secret\n")
    lab.repo.write(".gitignore", "*.pem\n")
    refused(lab.try_out(), "late.key was ignored")
    lab.repo.git("restore", ".gitignore")
    lab.repo.write("src/new.txt", "n\n")
    refused(lab.try_out(), "late.key was changed and is ignored by git", "out of the scope")
    (lab.path / "late.key").rename(lab.path.parent / "late.key")
    assert lab.trial(9)["status"] == "keep"
    assert lab.repo.git("ls-files", "--", "late.key") == ""


def test_an_ignored_file_that_was_added_by_force_is_refused(lab: Lab):
    """Staged it would be part of the trial's commit, and its undo would delete it."""
    lab.scope = "."
    lab.repo.write(".gitignore", "*.env\n")
    lab.repo.commit("ignore")
    lab.repo.write("old.env", "SECRET\n")
    lab.init()
    lab.repo.write("late.env", "SECRET\n")
    lab.value(30)
    for name in ("old.env", "late.env"):
        lab.repo.git("add", "-f", name)
        refused(lab.try_out(), f"{name} was ignored when this run began", "git rm --cached")
        lab.repo.git("rm", "-q", "--cached", name)
    assert (lab.repo.read("old.env"), lab.repo.git("log", "--all", "--format=%s", "--", "*.env")) == ("SECRET\n", "")


def test_a_filter_that_is_gone_bares_nothing(lab: Lab):
    """A clean filter keeps a secret out of git; without its attribute the trial would commit it."""
    lab.scope = "."
    lab.repo.git("config", "filter.hide.clean", "sed s/SECRET/hidden/")
    lab.repo.write(".gitattributes", "*.conf filter=hide\n")
    lab.repo.write("app.conf", "SECRET\n")
    lab.repo.commit("filtered")
    lab.init()
    lab.repo.write(".gitattributes", "*.txt text\n")
    (lab.path / "app.conf").touch()
    lab.value(9)
    refused(lab.try_out(), "app.conf differs only because the attributes changed")
    assert "SECRET" not in lab.repo.git("log", "-p", "--all")


@pytest.mark.parametrize(
    ("old", "new"), [(".env", "src/env.txt"), ("keys", "src/keys"), ("draft.txt", "src/draft.txt")]
)
def test_what_is_moved_into_the_scope_is_refused(lab: Lab, old: str, new: str):
    lab.repo.write(".gitignore", ".env\n/keys/\n")
    lab.repo.commit("ignore")
    for name in (".env", "keys/id", "draft.txt"):
        lab.repo.write(name, "mine\n")
        os.utime(lab.path / name, (1e9, 1e9))
    lab.init()
    (lab.path / old).rename(lab.path / new)
    lab.value(30)
    refused(lab.try_out(), "is older than this run", f"{old}", "move it back")
    (lab.path / new).rename(lab.path / old)
    assert lab.trial(30)["status"] == "discard"
    assert (lab.path / old).exists()


@pytest.mark.parametrize("name", ["src/value", "src/new", "src"])
def test_a_link_that_leads_out_of_the_repository_is_refused(lab: Lab, name: str):
    """What it leads to is in no commit: a keep would hold what no clone has."""
    lab.init()
    path, away = lab.path / name, lab.path.parent / "away"
    shutil.copytree(lab.path / "src", away)
    (away / "value").write_text("3\n")
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    path.symlink_to(away if name == "src" else away / "value")
    refused(lab.try_out(), f"{name} is a link that leads out of the repository")
    path.unlink()
    lab.repo.git("restore", "src")
    (lab.path / "src/near").symlink_to("value")
    assert lab.trial(9)["status"] == "keep"
