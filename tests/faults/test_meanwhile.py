"""The user works while a trial is measured, or between two: nothing of theirs is lost, and the run goes on."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from tests.lab import Lab, refused

ARMED = "if test -e ../arm; then rm ../arm; {}; fi; cat src/value"


def armed(lab: Lab, act: str, *flags: str) -> None:
    lab.init(*flags, verify=ARMED.format(act), guard="")
    (lab.path.parent / "arm").touch()


@pytest.mark.parametrize("policy", ["revert", "reset"])
@pytest.mark.parametrize("value", [8, 30])
def test_a_commit_of_the_users_stays(lab: Lab, policy: str, value: int):
    if policy == "reset":
        lab.repo.git("switch", "-qc", "autoresearch/x")
    armed(lab, "echo u > u.txt; git add u.txt; git commit -qm user", "--rollback-policy", policy)
    answer = lab.trial(value)
    assert answer["status"] == ("keep" if value == 8 else "discard")
    assert (lab.repo.read("u.txt"), lab.repo.status()) == ("u\n", "")
    assert lab.repo.read("src/value") == ("8\n" if value == 8 else "10\n")
    assert lab.trial(7)["status"] == "keep"


def test_amended(lab: Lab):
    armed(lab, "echo u > u.txt; git add u.txt; git commit -q --amend -m mine")
    assert lab.trial(30)["status"] == "discard"
    assert (lab.repo.read("u.txt"), lab.repo.read("src/value"), lab.repo.status()) == ("u\n", "10\n", "")
    assert lab.trial(7)["status"] == "keep"


def test_switched_and_the_named_remedy_works(lab: Lab):
    armed(lab, "git switch -qc elsewhere")
    lab.value(30)
    assert lab.try_out().code == 0
    main = lab.repo.git("rev-parse", "main")
    assert lab.repo.git("show", "main:src/value") == "10"
    lab.repo.git("switch", "-q", "main")
    assert lab.repo.git("rev-parse", "HEAD") == main
    assert lab.trial(7)["status"] == "keep"


def test_an_edit_of_the_trials_own_file_lies_in_the_evidence(lab: Lab):
    armed(lab, "echo mine > src/value; cat ../thirty; exit 0")
    (lab.path.parent / "thirty").write_text("30\n")
    assert lab.trial(30)["status"] == "discard"
    assert lab.repo.read("src/value") == "10\n"
    kept = list(lab.evidence("0001").rglob("*value*")) + list(lab.evidence("0001").glob("touched-*"))
    assert any("mine" in path.read_text() for path in kept)
    assert lab.trial(7)["status"] == "keep"


def test_a_tracked_file_that_the_check_makes_anew_does_not_block_the_undo(lab: Lab):
    lab.repo.write("src/gen/a", "tracked\n")
    lab.repo.commit("gen")
    lab.init(verify="test -e src/gen/a || { rm -rf src/gen; mkdir -p src/gen; echo made > src/gen/a; }; cat src/value")
    (lab.path / "src/gen/a").unlink()
    assert lab.trial(30)["status"] == "discard"
    assert (lab.repo.read("src/gen/a"), lab.repo.status()) == ("tracked\n", "")
    assert lab.trial(7)["status"] == "keep"


def test_a_folder_in_place_of_a_file_that_the_check_writes_to(lab: Lab):
    lab.repo.write("src/data", "a file\n")
    lab.repo.commit("data")
    lab.init(verify="test -d src/data && echo out > src/data/out; cat src/value")
    (lab.path / "src/data").unlink()
    lab.repo.write("src/data/part", "p\n")
    assert lab.trial(30)["status"] == "discard"
    assert (lab.repo.read("src/data"), lab.repo.status()) == ("a file\n", "")
    assert lab.trial(7)["status"] == "keep"


def test_a_living_git_is_not_robbed_of_its_lock(lab: Lab):
    armed(lab, "kill -9 $PPID")
    lab.value(9)
    assert lab.try_out().code < 0
    lab.repo.write("notes.txt", "two\n")
    editor = {**os.environ, "GIT_EDITOR": "f() { touch ../open; while ! test -e ../close; do sleep 0.1; done; }; f"}
    git = subprocess.Popen(["git", "commit", "-a", "-e", "-m", "mine"], cwd=lab.path, env=editor)
    while not (lab.path.parent / "open").exists():
        time.sleep(0.05)
    refused(lab.try_out(), "git is at work", "close its editor")
    assert (lab.path / ".git/index.lock").exists()
    (lab.path.parent / "close").touch()
    assert git.wait() == 0
    refused(lab.try_out(), "somebody committed in mid-run", "record_iteration --status drift")
    assert lab.recorded("drift")["status"] == "drift"
    assert lab.trial(7)["status"] == "keep"


def test_the_folder_is_moved_after_a_kill(lab: Lab):
    lab.repo.write("mine.txt", "mine\n")
    armed(lab, "kill -9 $PPID")
    lab.value(9)
    assert lab.try_out().code < 0
    moved = lab.path.parent / "moved"
    lab.path.rename(moved)
    ran = lab.run_script("run_trial", "--repo", moved, "--description", "again")
    assert (ran.code, ran.json["status"]) == (0, "keep"), ran.err
    assert lab.run_script("resume_check", "--repo", moved).json["decision"] == "full_resume"
    (moved / "src/value").write_text("8\n")
    assert lab.run_script("run_trial", "--repo", moved, "--description", "next").json["status"] == "keep"


def test_the_folder_is_moved_while_the_check_runs(lab: Lab):
    armed(lab, f"cd ..; mv {lab.path.name} moved")
    lab.value(9)
    refused(lab.try_out(), "was moved or removed while the check ran", "repeat the command where it is now")
    assert not lab.path.exists()
    moved = lab.path.parent / "moved"
    ran = lab.run_script("run_trial", "--repo", moved, "--description", "again")
    assert (ran.code, ran.json["status"]) == (0, "keep"), ran.err


def test_a_submodule_in_a_submodule_is_put_back(lab: Lab, make_repo):
    inner, add = make_repo("inner"), ("-c", "protocol.file.allow=always", "submodule", "-q", "add")
    inner.write("v", "10\n")
    inner.commit("v")
    for folder, name in ((lab.path, "src/sub"), (lab.path / "src/sub", "deep")):
        subprocess.run(["git", *add, str(inner.path), name], cwd=folder, check=True)
    for tree in (lab.path / "src/sub", lab.path):
        subprocess.run(["git", "commit", "-qam", "sub"], cwd=tree, check=True)
    lab.init(verify="cat src/sub/deep/v")
    (lab.path / "src/sub/deep/v").write_text("50\n")
    for name in ("src/sub/deep", "src/sub"):
        subprocess.run(["git", "commit", "-qam", "worse"], cwd=lab.path / name, check=True)
    assert lab.try_out().json["status"] == "discard"
    assert (lab.repo.read("src/sub/deep/v"), lab.repo.status()) == ("10\n", "")


def test_a_submodule_is_put_back(lab: Lab, make_repo):
    inner = make_repo("inner")
    inner.write("v", "10\n")
    inner.commit("v")
    lab.repo.git("-c", "protocol.file.allow=always", "submodule", "-q", "add", str(inner.path), "src/sub")
    lab.repo.commit("sub")
    lab.init(verify="cat src/sub/v")
    (lab.path / "src/sub/v").write_text("50\n")
    refused(lab.try_out(), "src/sub is a repository of its own")
    subprocess.run(["git", "commit", "-qam", "worse"], cwd=lab.path / "src/sub", check=True)
    assert lab.try_out().json["status"] == "discard"
    assert (lab.repo.read("src/sub/v"), lab.repo.status()) == ("10\n", "")
    (lab.path / "src/sub").rename(lab.path.parent / "sub")
    lab.value(3)
    before = lab.repo.status()
    refused(lab.try_out(), "src/sub is a repository of its own", "git submodule update")
    assert lab.repo.status() == before
    lab.repo.git("-c", "protocol.file.allow=always", "submodule", "-q", "update", "--init")
    assert (lab.trial()["status"], lab.repo.status()) == ("discard", "")


def test_a_worktree_that_was_moved_is_named_and_found_once_git_knows_it(lab: Lab):
    flags = (
        "--scope",
        "src/",
        "--verify",
        "cat src/value",
        "--metric-name",
        "c",
        "--direction",
        "lower",
        "--goal",
        "g",
    )
    more = ("--environment-summary", "x", "--run-tag", "x", "--isolation", "worktree", "--codex-bin", "true")
    launched = lab.run_script("runtime_ctl", "launch", "--repo", lab.path, *flags, *more, "--max-stagnation", "9")
    assert launched.code == 0, launched.err
    lab.run_script("runtime_ctl", "stop", "--repo", lab.path)
    old, new = lab.path.parent / f"{lab.path.name}-autoresearch-x", lab.path.parent / "moved"
    old.rename(new)
    (new / "src/value").write_text("9\n")
    refused(lab.try_out(), f"worktree {old} is gone", "worktree repair")
    assert lab.call("doctor").code in (0, 1) and lab.call("report").code == 0
    lab.repo.git("worktree", "repair", str(new))
    assert lab.try_out().json["status"] == "keep"


@pytest.mark.parametrize("place", ["src/tmp", "tmp"])
def test_our_own_files_in_a_temporary_folder_in_the_repository_are_no_edits(lab: Lab, place: str):
    """The note of a dry run, and the scratch folders and checkouts of commands that live or were killed."""
    lab.init()
    (lab.path / place).mkdir()
    lab.env["TMPDIR"] = str(lab.path / place)
    flags = ("--scope", "src/", "--verify", "cat src/value", "--metric-name", "c", "--direction", "lower")
    assert lab.call("init_run", *flags, "--dry-run", "--force").code == 0
    assert os.listdir(lab.path / place) == []
    scratch = lab.path / place / "autoresearch-scratch-total-99999999-x"
    lab.repo.git("worktree", "add", "-q", "--detach", str(scratch / "checkout"))
    lab.repo.write(f"{place}/autoresearch-scratch-perf-{os.getpid()}-x/data", "d\n")
    assert lab.trial(9)["status"] == "keep"
    assert (lab.repo.git("show", "--format=", "--name-only", "HEAD"), scratch.exists()) == ("src/value", False)


@pytest.mark.parametrize("everything", [(), ("-u",)])
def test_what_was_stashed_at_the_start_and_comes_back_is_the_users(lab: Lab, everything: tuple[str, ...]):
    lab.repo.write("other", "theirs\n")
    lab.repo.commit("other")
    lab.repo.write("other", "mine\n")
    lab.repo.write("notes", "mine too\n")
    lab.init()
    lab.repo.git("stash", "-q", *everything)
    lab.init("--force")
    lab.repo.git("stash", "pop", "-q")
    assert lab.trial(9)["status"] == "keep"
    assert (lab.repo.read("other"), lab.repo.read("notes")) == ("mine\n", "mine too\n")
    lab.repo.write("other", "mine and more\n")
    lab.value(8)
    refused(lab.try_out(), "changes outside the scope", "other", "stash")
    lab.repo.git("stash", "-q")
    assert lab.trial(8)["status"] == "keep"


def test_what_comes_back_with_other_line_ends_is_the_users(lab: Lab):
    """A rebase with autostash under `core.autocrlf` writes the user's change anew."""
    lab.repo.write("other", "theirs\n")
    lab.repo.commit("other")
    lab.repo.git("config", "core.autocrlf", "true")
    lab.repo.write("other", "mine\nand more\n")
    lab.init()
    lab.repo.git("stash", "-q")
    lab.repo.git("stash", "pop", "-q")
    assert (lab.path / "other").read_bytes() == b"mine\r\nand more\r\n"
    assert lab.trial(9)["status"] == "keep"
    lab.repo.write("other", "mine\r\nand yours\r\n")
    lab.value(8)
    refused(lab.try_out(), "changes outside the scope", "other")
