"""Damaged artifacts, broken repositories and odd flags: one line that says what to do, and nothing half-written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable

import pytest
from autoresearch.background import runlog
from autoresearch.cli import run_root
from autoresearch.kernel.system.git import Repo as GitRepo
from autoresearch.setup import named_files

from tests.conftest import Ran, Repo
from tests.lab import Lab

LOOKS = (
    ("resume_check",),
    ("resume_prompt",),
    ("commit_gate",),
    ("report",),
    ("watch", "--once"),
    ("doctor",),
    ("run_trial", "--description", "x"),
)


def told(ran: Ran) -> str:
    """Stderr of a command that answered, or refused in one line of its own words."""
    assert ran.code in (0, 1, 2)
    assert "unexpected" not in ran.err and "Traceback" not in ran.err
    if ran.code and not ran.out:
        assert ran.err.startswith("error: ") and ran.err.count("\n") == 1
    return ran.err


@pytest.mark.parametrize("name", ["research-results.tsv", "autoresearch-state.json"])
def test_a_link_to_itself_in_place_of_an_artifact(lab: Lab, name: str):
    lab.init()
    (lab.path / name).unlink()
    (lab.path / name).symlink_to(name)
    lab.value(9)
    for command, *flags in LOOKS:
        told(lab.call(command, *flags))


def merging(repo: Repo) -> None:
    repo.git("checkout", "--quiet", "-b", "other")
    repo.write("notes.txt", "two\n")
    repo.commit("other")
    repo.git("checkout", "--quiet", "main")
    repo.git("merge", "--quiet", "--no-ff", "--no-commit", "other")


def torn_index(repo: Repo) -> None:
    (repo.path / ".git" / "index").write_bytes(bytes(50))


def lost_objects(repo: Repo) -> None:
    (repo.path / ".git" / "objects").rename(repo.path / ".git" / "gone")
    (repo.path / ".git" / "objects").mkdir()


def no_git_file(repo: Repo) -> None:
    (repo.path / ".git").rename(repo.path.parent / "gone")
    (repo.path / ".git").write_bytes(b"\xff\0" * 9)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (merging, "an operation is unfinished"),
        (torn_index, "git refused: "),
        (lost_objects, "git refused: "),
        (no_git_file, "has no commit yet"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_no_run_begins_in_a_broken_repository(lab: Lab, harm: Callable[[Repo], None], words: str):
    harm(lab.repo)
    before = sorted(path.name for path in lab.path.iterdir())
    ran = lab.call("init_run", "--scope", "src/", "--verify", "cat src/value", "--metric-name", "n", "--goal", "g")
    assert words in told(ran)
    told(lab.call("doctor"))
    assert sorted(path.name for path in lab.path.iterdir()) == before


def test_hooks_are_not_written_where_they_cannot_be_hidden(lab: Lab):
    torn_index(lab.repo)
    assert "git refused: " in told(lab.run_script("hooks_ctl", "install", "--repo", lab.path))
    assert not (lab.path / ".codex").exists()


def test_a_git_folder_without_head_is_none(tmp_path: Path):
    (tmp_path / ".git" / "info").mkdir(parents=True)
    inner = tmp_path / "inner"
    inner.mkdir()
    assert run_root.find_root(inner) == inner.resolve()
    assert not GitRepo(inner).is_git()


def test_a_path_that_is_no_text_has_a_scratch_folder(tmp_path: Path, run_script: Callable[..., Ran]):
    odd = tmp_path / os.fsdecode(b"\xff")
    try:
        odd.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert told(run_script("exec_state", cwd=odd)) == ""


def test_what_lies_around_the_repository_and_pipes_are_no_evaluator(tmp_path: Path):
    root = tmp_path / "repo"
    (root / "checks").mkdir(parents=True)
    (root / "checks" / "measure").write_text("x")
    os.mkfifo(root / "checks" / "pipe")
    assert named_files.expand(root, ["/", "..", "../..", "checks"]) == ("checks/measure",)


@pytest.mark.parametrize("flag", ["--metric", "--description", "--commit"])
def test_two_dashes_are_no_value(lab: Lab, flag: str):
    lab.report()
    log = lab.repo.read("research-results.tsv")
    ran = lab.call("record_iteration", "--status", "discard", "--metric", "11", "--commit", "abc1234", f"{flag}=--")
    told(ran)
    assert (ran.code, lab.repo.read("research-results.tsv")) in [(2, log), (1, log)]


def test_an_artifact_is_no_folder(lab: Lab):
    lab.report()
    ran = lab.call("record_iteration", "--status", "refine", "--description", "x", "--state-path", "/")
    assert "--state-path / is a folder" in told(ran)


@pytest.mark.parametrize("name", ["\ud800", "a\0b"], ids=ascii)
def test_a_log_whose_path_is_no_text_is_none(name: str):
    runlog.write(Path(name), "a line")
    assert runlog.read(Path(name)) == ("", 0)
