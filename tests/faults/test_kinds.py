"""Outputs, checks that clean, half-made starts, odd files, strays: each refused or mended, nothing lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SCRIPTS
from tests.lab import ARMED, Lab, armed, refused, tree_of


@pytest.mark.parametrize("flag", ["--html", "--markdown"])
def test_a_report_overwrites_nothing_of_anybodys(lab: Lab, flag: str):
    lab.init()
    lab.trial(9)
    lab.repo.write("draft.txt", "mine\n")
    os.mkfifo(lab.path / "pipe")
    before = tree_of(lab.path)
    names = ["src/value", "autoresearch-state.json", "research-results.tsv", "autoresearch-evidence/0001/trial.json"]
    for name in [*names, "draft.txt", "pipe", "src", "missing/report.html", ".git/index", ".git/new"]:
        refused(lab.call("report", flag, lab.path / name), "nothing was written")
    assert tree_of(lab.path) == before
    new = lab.path.parent / "report.out"
    assert lab.call("report", flag, new).code == lab.call("report", flag, new).code == 0  # its own is written anew


def test_a_tracked_file_that_is_gone_and_a_report_of_somebody_elses_are_left(lab: Lab):
    lab.init()
    (lab.path / "notes.txt").unlink()
    refused(lab.call("report", "--html", lab.path / "notes.txt"), "is tracked by git")
    lab.repo.write("mine.html", "<p>my autoresearch report</p>")
    refused(lab.call("report", "--html", lab.path / "mine.html"), "none of the tool's")
    assert lab.repo.read("mine.html") == "<p>my autoresearch report</p>"


def test_no_command_makes_a_folder_in_a_git_folder_or_below_a_missing_one(lab: Lab):
    refused(lab.run_script("demo", "--keep", lab.path / ".git/new"), "nothing was written")
    refused(lab.run_script("demo", "--keep", lab.path / "missing/new"), "nothing was written")
    refused(lab.run_script("package", "skill", lab.path / ".git/new"), "nothing was written")
    assert not (lab.path / ".git/new").exists() and not (lab.path / "missing").exists()


@pytest.mark.parametrize("flag", ["results", "state", "launch", "runtime"])
def test_an_artifact_is_put_nowhere_where_it_harms(lab: Lab, flag: str):
    for name in ("src/value", ".git/config", "missing/file", "/dev/null", "src"):
        ran = lab.call("init_run", "--metric-name", "c", "--baseline-metric", "1", f"--{flag}-path", name)
        refused(ran, "nothing was written")
    assert (lab.repo.status(), lab.repo.read("src/value")) == ("", "10\n")


@pytest.mark.parametrize("name", ["research-results.tsv", "autoresearch-state.json", "draft.txt", "src/value", "no/x"])
def test_other_path_flags_write_over_nothing(lab: Lab, name: str):
    lab.report()
    lab.repo.write("draft.txt", "mine\n")
    before = tree_of(lab.path)
    lesson = ("--title", "t", "--strategy", "s", "--insight", "i", "--outcome", "keep")
    refused(lab.run_script("lessons", "append", "--repo", lab.path, *lesson, "--lessons-path", name), "nothing was")
    launch = ("--verify", "cat src/value", "--metric-name", "c", "--goal", "g", "--scope", "src/", "--log-path", name)
    ran = lab.run_script("runtime_ctl", "launch", "--repo", lab.path, *launch, "--fresh-start")
    refused(ran, "--log-path", "nothing was written")
    if "results" not in name:
        which = "results" if "state" in name else "state"
        refused(lab.record("refine", "--description", "x", f"--{which}-path", name), "nothing was written")
    assert tree_of(lab.path) == before


@pytest.mark.parametrize("dry", [True, False])
@pytest.mark.parametrize("act", ["git clean -qfdx", "git -C . clean --force -d", "rm -f research-results* mine.txt"])
def test_a_check_that_cleans_is_refused_before_a_run_is_at_stake(lab: Lab, act: str, dry: bool):
    lab.repo.write("mine.txt", "mine\n")
    flags = ["--scope", "src/", "--verify", f"{act}; cat src/value", "--metric-name", "c", "--direction", "lower"]
    ran = lab.call("init_run", *flags, "--environment-summary", "x", *(["--dry-run"] if dry else []))
    refused(ran, "the check")
    assert not (lab.path / "research-results.tsv").exists()
    assert "clean" not in act or lab.repo.read("mine.txt") == "mine\n"


@pytest.mark.parametrize("lock", ["touch .git/index.lock", "mkdir .git/index.lock"])
def test_a_lock_that_a_check_leaves_is_cleared(lab: Lab, lock: str):
    armed(lab, lock)
    assert lab.trial(12)["status"] == "discard"
    assert lab.trial(7)["status"] == "keep"


@pytest.mark.parametrize("broken", ["autoresearch-state.json.tmp", "research-results.tsv.tmp/x"])
def test_a_start_that_cannot_be_written_has_not_happened(lab: Lab, broken: str):
    lab.init()
    lab.trial(9)
    before = {name: data for name, data in tree_of(lab.path).items() if not name.endswith("trial.lock")}
    (lab.path / broken).mkdir(parents=True)
    again = ("--scope", "src/", "--verify", "cat src/value", "--metric-name", "c", "--direction", "lower")
    ran = lab.call("init_run", *again, "--environment-summary", "x", "--force")
    assert ran.code == 1 and "unexpected" not in ran.err
    after = {name: data for name, data in tree_of(lab.path).items() if not name.endswith("trial.lock")}
    assert after == before
    os.removedirs(lab.path / broken)
    assert lab.trial(8)["status"] == "keep"


def test_a_force_that_cannot_archive_leaves_the_run(lab: Lab):
    lab.init()
    lab.trial(9)
    before = {name: data for name, data in tree_of(lab.path).items() if not name.endswith("trial.lock")}
    link = lab.path / "autoresearch-evidence.prev"
    link.symlink_to("nowhere")  # no folder can be made under this name
    again = ("--scope", "src/", "--verify", "cat src/value", "--metric-name", "c", "--direction", "lower")
    refused(lab.call("init_run", *again, "--environment-summary", "x", "--force"), "autoresearch-evidence.prev")
    link.unlink()
    assert {name: data for name, data in tree_of(lab.path).items() if not name.endswith("trial.lock")} == before
    assert lab.trial(8)["status"] == "keep"


def test_what_a_killed_finalize_left_is_found_by_the_next_command(lab: Lab, sealed: Path):
    lab.init(verify=ARMED.format("kill -9 $PPID"), guard="")
    lab.trial(9)
    (lab.path.parent / "arm").touch()
    # The checkout of finalize lies elsewhere: there `../arm` is another file.
    lab.env["FLAG"] = "1"
    arm = lab.path.parent / "arm"
    code = f"import os,signal,sys; sys.path.insert(0, {str(SCRIPTS)!r}); from autoresearch.kernel.run import measure\n"
    code += "measure.verify = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
    code += "from autoresearch.cli import main; main('finalize.finalize')"
    line = [sys.executable, "-c", code, "--repo", str(lab.path), "--branch", "one"]
    assert subprocess.run(line, check=False).returncode == -9
    arm.unlink()
    assert lab.repo.git("worktree", "list").count("\n") == 1
    assert lab.trial(8)["status"] == "keep"
    assert lab.repo.git("worktree", "list").count("\n") == 0
    assert [path.name for path in (sealed / "tmp").glob("autoresearch-scratch-*")] == []


def test_the_next_command_removes_what_killed_ones_left_half_done(lab: Lab):
    lab.init()
    gone = subprocess.Popen(["true"])
    gone.wait()
    left = [lab.evidence("queue.json.tmp"), lab.path / ".git" / f"autoresearch-{gone.pid}.index"]
    for path in left:
        path.write_text("half")
    assert lab.trial()["status"] == "no-op"
    assert not any(path.exists() for path in left)


def test_a_half_written_text_of_a_killed_finalize_goes_with_the_next_command(lab: Lab):
    lab.init()
    (lab.evidence("pull-request.md.tmp")).write_text("half")
    lab.trial(9)
    assert not lab.evidence("pull-request.md.tmp").exists()


@pytest.mark.parametrize("dry", [True, False])
def test_a_pipe_in_the_place_of_a_file_is_named_at_once(lab: Lab, dry: bool):
    lab.init()
    (lab.path / "src/value").unlink()
    os.mkfifo(lab.path / "src/value")
    refused(lab.call("run_trial", "--description", "x"), "src/value is a pipe")
    again = ("--scope", "src/", "--verify", "cat src/value", "--metric-name", "c", "--direction", "lower")
    refused(lab.call("init_run", *again, "--force", *(["--dry-run"] if dry else [])), "src/value is a pipe")


COMMANDS = ("report", "resume_check", "launch_gate", "supervisor_status", "resume_prompt", "run_trial", "doctor")


@pytest.mark.parametrize("kind", ["pipe", "folder", "loop", "device"])
@pytest.mark.parametrize("name", ["research-results.tsv", "autoresearch-state.json", "autoresearch-lessons.md"])
def test_an_odd_file_in_place_of_an_artifact_is_one_line_at_once(lab: Lab, name: str, kind: str):
    lab.init()
    path = lab.path / name
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(path.name if kind == "loop" else "/dev/zero")
    for command in COMMANDS:
        flags = ["--description", "x"] if command == "run_trial" else []
        ran = lab.call(command, *flags)
        assert "unexpected" not in ran.err and "Traceback" not in ran.err, (command, ran.err)
        assert ran.err.count("\n") <= 1


@pytest.mark.parametrize("name", [".gitignore", ".git/HEAD", ".git/info/exclude", ".git/refs/heads/main", ".git"])
def test_a_pipe_that_git_would_wait_for_is_named_at_once(lab: Lab, name: str):
    lab.init()
    path, aside = lab.path / name, lab.path.parent / "aside"
    if path.exists():
        path.rename(aside)
    os.mkfifo(path)
    for command in (*COMMANDS, "finalize", "scout", "environment"):
        flags = {"run_trial": ["--description", "x"], "finalize": ["--branch", "b"]}.get(command, [])
        refused(lab.call(command, *flags), f"{name} is a pipe")
    path.unlink()
    if aside.exists():
        aside.rename(path)
    path.unlink() if name == ".gitignore" and path.exists() else None
    assert lab.trial(9)["status"] == "keep"


def test_a_folder_that_is_gone_and_a_temporary_one_that_is_none(lab: Lab):
    gone = lab.path.parent / "gone"
    for call in ("run_trial.py --description x", "resume_check.py", "report.py", "doctor.py"):
        gone.mkdir()
        line = f"cd {gone}; rmdir {gone}; exec {sys.executable} {SCRIPTS}/autoresearch_{call}"
        ran = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False)
        assert ran.returncode == 1 and ran.stderr.count("\n") == 1 and "unexpected" not in ran.stderr, ran.stderr
    for place in ("relative", "/dev/null", "/missing"):
        lab.env["TMPDIR"] = place
        said = lab.call("init_run", "--scope", "src/", "--verify", "cat src/value", "--metric-name", "c", "--dry-run")
        assert "unexpected" not in said.err
