"""Experiments in all kinds of repositories: what is not theirs stays as it is, and nothing there can fake them."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.conftest import ROOT, Ran, Repo
from tests.lab import Lab, refused, tree_of


def commits(repo: Repo) -> list[str]:
    """The subjects of all commits on the branch, newest first."""
    return repo.git("log", "--format=%s").split("\n")


# Rollback


def test_a_revert_keeps_the_history(lab: Lab):
    lab.init()
    base = lab.repo.git("rev-parse", "HEAD^{tree}")
    answer = lab.trial(12)
    assert commits(lab.repo)[:2] == ['Revert "experiment: set 12"', "experiment: set 12"]
    assert lab.repo.git("rev-parse", "HEAD^{tree}") == base
    assert lab.repo.git("rev-parse", "--short", "HEAD^") == answer["commit"]


def test_a_reset_leaves_no_trace_on_an_isolated_branch(lab: Lab):
    lab.repo.git("switch", "--quiet", "-c", "autoresearch/cut")
    lab.init("--rollback-policy", "reset")
    answer = lab.trial(12)
    assert commits(lab.repo)[0] == "project"
    assert lab.repo.git("cat-file", "-t", answer["commit"]) == "commit"
    assert lab.trial(9)["status"] == "keep"


def test_a_reset_becomes_a_revert_on_the_default_branch(lab: Lab):
    lab.init("--rollback-policy", "reset")
    lab.trial(12)
    assert commits(lab.repo)[0] == 'Revert "experiment: set 12"'


def test_new_and_deleted_files_come_and_go_with_the_trial(lab: Lab):
    lab.repo.write("src/old", "old\n")
    lab.repo.commit("old")
    lab.init()
    (lab.path / "src/old").unlink()
    lab.repo.write("src/deep/er/new", "new\n")
    assert lab.trial(12)["status"] == "discard"
    assert lab.repo.read("src/old") == "old\n"
    assert not (lab.path / "src/deep").exists()
    (lab.path / "src/old").unlink()
    lab.repo.write("src/deep/er/new", "new\n")
    assert lab.trial(9)["status"] == "keep"
    assert lab.repo.status() == ""
    assert lab.repo.git("ls-files", "src").split() == ["src/deep/er/new", "src/value"]


# Companions


@pytest.fixture
def pair(lab: Lab, make_repo: Callable[[str], Repo]) -> tuple[Lab, Repo]:
    """Return a run whose check adds the value of a companion repository."""
    api = make_repo("api")
    api.write("lib/value", "5\n")
    api.write("other", "theirs\n")
    api.commit("api")
    check = "echo $(( $(cat src/value) + $(cat ../api/lib/value) ))"
    lab.init("--companion-repo-scope", "../api=lib/", verify=check)
    return lab, api


def test_a_trial_over_two_repositories_is_kept_in_both(pair: tuple[Lab, Repo]):
    lab, api = pair
    api.write("lib/value", "3\n")
    answer = lab.trial(9)
    assert (answer["status"], answer["metric"]) == ("keep", 12)
    assert commits(lab.repo)[0] == commits(api)[0] == "experiment: set 9"
    heads = {str(lab.path): lab.repo.git("rev-parse", "HEAD"), str(api.path): api.git("rev-parse", "HEAD")}
    assert lab.events("repos")[-1] == {"kind": "repos", "iteration": 1, "repo_commits": heads}
    assert lab.state()["state"]["last_repo_commits"] == heads
    patch = lab.evidence("0001/patch.diff").read_text()
    assert "+9" in patch and "# repository api" in patch and "+3" in patch


def test_a_trial_over_two_repositories_is_undone_in_both(pair: tuple[Lab, Repo]):
    lab, api = pair
    api.write("lib/value", "3\n")
    assert lab.trial(90)["status"] == "discard"
    assert (lab.repo.read("src/value"), api.read("lib/value")) == ("10\n", "5\n")
    assert lab.repo.status() == api.status() == ""
    assert commits(lab.repo)[0] == commits(api)[0] == 'Revert "experiment: set 90"'


def test_a_trial_may_change_the_companion_alone(pair: tuple[Lab, Repo]):
    lab, api = pair
    before = lab.repo.git("rev-parse", "HEAD")
    api.write("lib/value", "50\n")
    assert lab.trial(description="worse")["status"] == "discard"
    api.write("lib/value", "4\n")
    answer = lab.trial(description="better")
    assert (answer["status"], answer["metric"], answer["commit"]) == ("keep", 14, before[: len(answer["commit"])])
    assert lab.repo.git("rev-parse", "HEAD") == before
    assert commits(api)[0] == "experiment: better"


def test_a_companion_is_guarded_like_the_primary(pair: tuple[Lab, Repo]):
    lab, api = pair
    api.write("other", "mine\n")
    api.write("lib/value", "4\n")
    refused(lab.try_out(), "changes outside the scope", "api/other")
    assert (api.read("lib/value"), api.status()) == ("4\n", " M lib/value\n M other")
    api.git("checkout", "--", "other")
    api.commit("by hand")
    refused(lab.try_out(), "somebody committed in mid-run")


def test_a_companion_on_its_default_branch_is_never_reset(lab: Lab, make_repo: Callable[[str], Repo]):
    api = make_repo("api")
    api.write("lib/value", "5\n")
    api.commit("api")
    lab.repo.git("switch", "--quiet", "-c", "autoresearch/cut")
    lab.init("--companion-repo-scope", "../api=lib/", "--rollback-policy", "reset")
    api.write("lib/value", "6\n")
    lab.trial(12)
    assert commits(api)[0] == 'Revert "experiment: set 12"'
    lab.trial(13)
    assert commits(lab.repo)[0] != 'Revert "experiment: set 13"', "alone the isolated one is reset"


# The user's own work


def test_the_users_changes_stay_as_they_are(lab: Lab):
    lab.repo.write("staged.txt", "a\n")
    lab.repo.write("both.txt", "a\n")
    lab.repo.write("gone.txt", "a\n")
    lab.repo.commit("files")
    lab.repo.write("staged.txt", "staged\n")
    lab.repo.write("both.txt", "staged\n")
    lab.repo.write("added.txt", "added\n")
    lab.repo.git("add", "staged.txt", "both.txt", "added.txt")
    lab.repo.git("rm", "--quiet", "--cached", "gone.txt")
    lab.repo.write("both.txt", "unstaged\n")
    lab.repo.write("notes.txt", "unstaged\n")
    lab.repo.write("deep/untracked.txt", "untracked\n")
    lab.repo.git("update-index", "--chmod=+x", "README.md")

    def look() -> Any:
        index = [line for line in lab.repo.git("ls-files", "--stage").split("\n") if "src/" not in line]
        return index, tree_of(lab.path, "autoresearch-evidence", "src"), lab.repo.status()

    answer = lab.init()
    assert "uncommitted changes outside the scope stay as they are" in answer["warnings"][0]
    before = {name: data for name, data in look()[1].items() if "research" not in name}
    index, _, status = look()
    assert lab.trial(12)["status"] == "discard"
    assert lab.trial("none")["status"] == "crash"
    assert lab.trial(9)["status"] == "keep"
    after = look()
    assert {name: data for name, data in after[1].items() if "research" not in name} == before
    assert (after[0], after[2]) == (index, status)


def test_the_users_change_in_scope_is_refused_at_set_up(lab: Lab):
    lab.value(11)
    ran = lab.call("init_run", "--scope", "src/", "--verify", "cat src/value")
    refused(ran, "uncommitted changes in src/value")
    assert lab.repo.status() == " M src/value"


def test_work_done_while_a_trial_runs_is_not_lost(lab: Lab):
    """Out of scope it stays in the tree and is named by the next trial; in scope it is kept as evidence."""
    lab.repo.write("check.sh", "sh src/run; cat src/value\n")
    lab.repo.write("src/run", ":\n")
    lab.repo.commit("run")
    lab.init(verify="sh check.sh")
    lab.repo.write("src/run", "echo mine > notes.txt; echo later > src/value; echo new > new.txt\n")
    answer = lab.trial(description="as if somebody typed")
    assert (answer["status"], lab.repo.read("notes.txt")) == ("crash", "mine\n")
    assert (lab.repo.read("src/value"), lab.repo.read("new.txt")) == ("10\n", "new\n")
    assert b"+later" in lab.evidence("0001/touched-repo.diff").read_bytes()
    lab.value(9)
    refused(lab.try_out(), "changes outside the scope", "notes.txt")
    assert lab.repo.read("notes.txt") == "mine\n"
    lab.repo.git("checkout", "notes.txt")
    assert lab.trial()["status"] == "keep"


# What the checks leave


def test_new_files_of_the_check_are_by_products(lab: Lab):
    lab.repo.write("keep/a.txt", "a\n")
    lab.repo.commit("keep")
    lab.repo.write("keep/user.txt", "mine\n")
    lab.init(verify="mkdir -p out/x; date > out/x/log; date > keep/log; date > src/log; cat src/value")
    (event,) = lab.events("byproducts")
    assert event["paths"] == ["keep/log", "out/", "src/log"]
    assert lab.trial(9)["status"] == "keep"
    assert lab.repo.git("show", "--format=", "--name-only", "HEAD") == "src/value"
    assert lab.trial(12)["status"] == "discard"
    assert lab.repo.read("keep/user.txt") == "mine\n"


def test_tracked_files_that_the_check_writes_are_put_back(lab: Lab):
    lab.repo.write("history.csv", "1\n")
    lab.repo.write("check.sh", "echo 2 >> history.csv; cat src/value\n")
    lab.repo.commit("history")
    lab.init(verify="sh check.sh")
    assert lab.repo.status() == ""
    assert lab.trial(9)["status"] == "keep"
    assert lab.trial(12)["status"] == "discard"
    assert (lab.repo.read("history.csv"), lab.repo.status()) == ("1\n", "")


@pytest.mark.parametrize("where", ["src/history.csv", "notes.txt"])
def test_a_check_that_writes_to_the_users_work_is_refused(lab: Lab, where: str):
    lab.repo.write("src/history.csv", "1\n")
    lab.repo.write("check.sh", f"echo 2 >> {where}; cat src/value\n")
    lab.repo.commit("history")
    lab.repo.write("notes.txt", "my uncommitted line\n")
    ran = lab.call("init_run", "--scope", "src/", "--verify", "sh check.sh")
    refused(ran, f"the checks write to {where}")
    assert lab.repo.read("notes.txt").startswith("my uncommitted line\n")
    assert not (lab.path / "research-results.tsv").exists()


def test_a_check_may_write_to_a_companion(lab: Lab, make_repo: Callable[[str], Repo]):
    api = make_repo("api")
    api.write("lib/value", "5\n")
    api.commit("api")
    lab.init("--companion-repo-scope", "../api=lib/", verify="date > ../api/lib/log; cat src/value")
    assert lab.trial(9)["status"] == "keep"
    assert commits(api) == ["api", "start"]


# The user's git


def test_hooks_signing_and_filters_of_the_user_play_no_part(lab: Lab, tmp_path: Path):
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-commit", "commit-msg", "post-commit", "prepare-commit-msg", "reference-transaction"):
        for folder in (hooks, lab.path / ".git/hooks"):
            (folder / name).write_text("#!/bin/sh\necho 1 > src/value; git add -A; exit 1\n")
            (folder / name).chmod(0o755)
    settings = {
        "core.hooksPath": str(hooks),
        "commit.gpgSign": "true",
        "gpg.program": "false",
        "core.fsmonitor": str(hooks / "pre-commit"),
        "core.safecrlf": "true",
        "status.showUntrackedFiles": "no",
        "diff.external": "false",
        "diff.noprefix": "true",
        "commit.template": "/nowhere",
        "core.pager": "false",
        "core.editor": "false",
        "trailer.separators": "#",
        "color.ui": "always",
        "core.quotePath": "true",
    }
    for key, value in settings.items():
        lab.repo.git("config", key, value)
    lab.init()
    lab.repo.write("src/née", "x\n")
    answer = lab.trial(9)
    assert (answer["status"], answer["metric"]) == ("keep", 9)
    assert lab.trial(12)["status"] == "discard"
    assert lab.repo.read("src/value") == "9\n"
    assert "BEGIN" not in lab.repo.git("cat-file", "commit", "HEAD")


def test_line_endings_are_those_of_the_checkout(lab: Lab):
    lab.repo.git("config", "core.autocrlf", "true")
    lab.repo.write("src/text", "one\r\ntwo\r\n")
    lab.repo.commit("text")
    lab.init()
    lab.repo.write("src/text", "one\r\nthree\r\n")
    assert lab.trial(12)["status"] == "discard"
    assert (lab.path / "src/text").read_bytes() == b"one\r\ntwo\r\n"
    lab.repo.write("src/text", "one\r\nthree\r\n")
    assert lab.trial(9)["status"] == "keep"
    assert lab.repo.git("show", "HEAD:src/text") == "one\nthree"
    assert lab.repo.status() == ""


def test_variables_of_git_do_not_lead_astray(lab: Lab, make_repo: Callable[[str], Repo]):
    other = make_repo("other")
    lab.init()
    lab.env = {"GIT_DIR": str(other.path / ".git"), "GIT_WORK_TREE": str(other.path), "GIT_INDEX_FILE": "/nowhere"}
    assert lab.trial(9)["status"] == "keep"
    assert commits(other) == ["start"]


def test_without_an_identity_a_trial_is_still_committed(lab: Lab):
    lab.init()
    lab.env = {f"GIT_{role}_{key}": None for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    assert lab.trial(9)["status"] == "keep"


# Where the run lies


def test_a_linked_worktree_is_a_place_of_its_own(lab: Lab, tmp_path: Path, run_script: Callable[..., Ran]):
    lab.repo.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "side")
    linked = Lab(Repo(tmp_path / "linked"), run_script)
    linked.init("--rollback-policy", "reset")
    assert linked.trial(12)["status"] == "discard"
    assert linked.trial(9)["status"] == "keep"
    assert commits(linked.repo)[:2] == ["experiment: set 9", "project"]
    assert commits(lab.repo)[0] == "project"
    assert linked.repo.status() == lab.repo.status() == ""


def test_any_folder_inside_names_the_repository(lab: Lab):
    lab.init()
    lab.value(9)
    ran = lab.run_script("run_trial", "--repo", lab.path / "src", "--description", "x")
    assert ran.json["status"] == "keep"
    lab.value(8)
    ran = lab.run_script("run_trial", "--description", "x", cwd=lab.path / "src")
    assert ran.json["status"] == "keep"
    assert [path.name for path in (lab.path / "src").iterdir()] == ["value"]


def test_odd_names_are_only_names(make_repo: Callable[[str], Repo], run_script: Callable[..., Ran]):
    repo = make_repo("a folder; $(touch x) 'ü'")
    repo.write("src/value", "10\n")
    names = ["src/two words", "src/naïve ☃", "src/'quoted\"", "src/-dash", "src/:(top)x", "src/new\nline", "src/*"]
    for name in names:
        repo.write(name, "a\n")
    repo.commit("odd")
    lab = Lab(repo, run_script)
    lab.init()
    for name in names:
        repo.write(name, "b\n")
    assert lab.trial(12)["status"] == "discard"
    assert {repo.read(name) for name in names} == {"a\n"}
    for name in names:
        repo.write(name, "b\n")
    assert lab.trial(9)["status"] == "keep"
    assert repo.status() == ""


@pytest.mark.parametrize("kind", ["clone", "copy", "link"])
def test_the_skill_inside_the_repository_is_no_change(lab: Lab, kind: str):
    skill = lab.path / ".agents/skills/codex-autoresearch"
    source = skill
    if kind == "link":
        source = lab.path.parent / "elsewhere"
        skill.parent.mkdir(parents=True)
        skill.symlink_to(source)
    shutil.copytree(ROOT / "scripts", source / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    if kind == "clone":
        Repo(source).git("init", "--quiet")
        Repo(source).commit("skill")
    before = tree_of(source)

    def run(name: str, *flags: object) -> Any:
        import json
        import subprocess

        command = [sys.executable, str(skill / f"scripts/autoresearch_{name}.py"), *map(str, flags)]
        done = subprocess.run(command, cwd=lab.path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    run("init_run", "--scope", ".", "--verify", "cat src/value", "--environment-summary", "")
    lab.value(9)
    (source / "scripts/new.py").write_text("")
    assert run("run_trial", "--description", "better")["status"] == "keep"
    assert lab.repo.git("show", "--format=", "--name-only", "HEAD") == "src/value"
    assert run("run_trial", "--description", "nothing")["status"] == "no-op"
    (source / "scripts/new.py").unlink()
    assert tree_of(source) == before


def test_without_git_there_is_no_measured_run(tmp_path: Path, run_script: Callable[..., Ran]):
    folder = tmp_path / "plain"
    folder.mkdir()
    ran = run_script("init_run", "--repo", folder, "--verify", "echo 1")
    refused(ran, "is not a git repository")
    assert list(folder.iterdir()) == []
    lab = Lab(Repo(folder), run_script)
    lab.report()
    refused(lab.try_out(), "reported baseline")
    assert lab.recorded("discard", "--metric", 11, "--commit", "abc1234")["iteration"] == 1
    lab.sound()
    assert os.listdir(folder).count(".git") == 0
