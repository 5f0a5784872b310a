"""`commit_gate` and `health_check`: every decision, what blocks and what warns."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.conftest import Ran, Repo
from tests.lab import Lab, refused, tree_of


def gate(lab: Lab, phase: str, *flags: object) -> Any:
    """The commit gate's answer."""
    ran = lab.call("commit_gate", "--phase", phase, *flags)
    assert ran.code == 0, ran.err
    assert set(ran.json) >= {"blockers", "warnings", "unexpected_worktree", "staged_artifacts", "repo_gates"}
    return ran.json


PHASES = ("prelaunch", "precommit", "prebatch", "rollback")


@pytest.mark.parametrize("phase", PHASES)
def test_a_clean_tree_is_allowed(lab: Lab, phase: str):
    lab.init()
    answer = gate(lab, phase)
    assert (answer["decision"], answer["blockers"], answer["warnings"]) == ("allow", [], [])
    assert answer["repo_gates"][0]["path"] == str(lab.path)


@pytest.mark.parametrize(
    ("phase", "decision"), [("prelaunch", "warn"), ("precommit", "allow"), ("prebatch", "block"), ("rollback", "allow")]
)
def test_edits_in_scope(lab: Lab, phase: str, decision: str):
    lab.init()
    lab.value(9)
    answer = gate(lab, phase)
    assert answer["decision"] == decision
    assert all("src/value" in text for text in (*answer["blockers"], *answer["warnings"]))
    assert answer["repo_gates"][0]["in_scope"] == ["src/value"]


@pytest.mark.parametrize("phase", PHASES)
def test_changes_outside_the_scope(lab: Lab, phase: str):
    lab.init()
    lab.repo.write("notes.txt", "mine\n")
    answer = gate(lab, phase)
    assert answer["decision"] == ("warn" if phase == "rollback" else "block")
    assert answer["unexpected_worktree"] == ["notes.txt"]


@pytest.mark.parametrize("phase", PHASES)
def test_staged_artifacts_block(lab: Lab, phase: str):
    lab.init()
    lab.repo.git("add", "--force", "research-results.tsv", "autoresearch-evidence/0000/verify-1.out")
    answer = gate(lab, phase)
    assert answer["decision"] == "block"
    assert answer["staged_artifacts"] == ["autoresearch-evidence/0000/verify-1.out", "research-results.tsv"]
    assert answer["unexpected_worktree"] == []


@pytest.mark.parametrize(
    ("flags", "decision"),
    [
        (("--rollback-policy", "revert"), "allow"),
        (("--rollback-policy", "reset"), "block"),
        (("--rollback-policy", "reset", "--destructive-approved"), "allow"),
    ],
)
def test_a_destructive_rollback_needs_approval(lab: Lab, flags: tuple[str, ...], decision: str):
    lab.init()
    assert gate(lab, "rollback", *flags)["decision"] == decision


def conflict(repo: Repo) -> None:
    """Leave a merge with an unmerged path."""
    repo.git("switch", "--quiet", "-c", "other")
    repo.write("notes.txt", "theirs\n")
    repo.commit("theirs")
    repo.git("switch", "--quiet", "main")
    repo.write("notes.txt", "ours\n")
    repo.commit("ours")
    with pytest.raises(AssertionError):
        repo.git("merge", "other")


def test_an_unfinished_merge_blocks(lab: Lab):
    conflict(lab.repo)
    answer = gate(lab, "precommit")
    assert answer["decision"] == "block"
    assert any("MERGE_HEAD" in text for text in answer["blockers"])
    assert any("unmerged paths: notes.txt" in text for text in answer["blockers"])


def test_companions_are_gated_by_their_own_scope(lab: Lab, make_repo: Callable[[str], Repo]):
    api = make_repo("api")
    api.write("lib/x", "1\n")
    flags = ("--scope", "src/", "--companion-repo-scope", "../api=lib/")
    assert gate(lab, "precommit", *flags)["decision"] == "allow"
    api.write("other", "1\n")
    answer = gate(lab, "precommit", *flags)
    assert (answer["decision"], answer["unexpected_worktree"]) == ("block", ["other"])
    assert [item["path"] for item in answer["repo_gates"]] == [str(lab.path), str(api.path)]


def test_without_git_it_is_skipped(tmp_path: Path, run_script: Callable[..., Ran]):
    ran = run_script("commit_gate", "--repo", tmp_path, "--phase", "precommit")
    assert (ran.code, ran.json["decision"]) == (0, "skipped")


def test_gates_write_nothing(lab: Lab):
    before = tree_of(lab.path)
    gate(lab, "precommit")
    health(lab)
    assert tree_of(lab.path) == before
    refused(lab.call("commit_gate", "--phase", "later"), code=2)
    refused(lab.call("commit_gate", "--companion-repo-scope", "nowhere=x"), "expected PATH=SCOPE")
    refused(lab.call("commit_gate", "--scope", "/etc"), "leaves the repository")


# Health


def health(lab: Lab, *flags: object) -> Any:
    """The health check's answer."""
    ran = lab.call("health_check", *flags)
    assert ran.code == 0, ran.err
    keys = ("warnings", "blockers", "resume_decision", "resume_detail", "free_mb", "repo_worktree_checks")
    assert set(ran.json) >= set(keys)
    return ran.json


def test_a_healthy_run_is_ok(lab: Lab):
    lab.init()
    answer = health(lab, "--verify-cmd", "cat src/value", "--min-free-mb", 1)
    assert (answer["blockers"], answer["resume_detail"]) == ([], "json_matches_tsv")
    assert health(lab, "--verify-cmd", "python3 -m json.tool src/value")["blockers"] == []
    assert answer["decision"] == ("ok" if answer["free_mb"] >= 1024 else "warn")


SOUND = (
    "f() { cat src/value; }; f",
    "function f { cat src/value; }; f",
    "[ ! -e ../missing ] && cat src/value",
    "test ! -f ./gone.json && cat src/value",
    "ulimit -t 5; cat src/value",
    "trap 'rm -f x' EXIT; cat src/value",
    '"$PY" "$HOME/x.py"',
    "# the number\ncat src/value",
    "cc -o ../p a.c && ../p",
)


def test_a_sound_check_is_not_said_to_be_gone(lab: Lab):
    """What the shell itself has, defines or makes is neither a missing program nor a missing file."""
    lab.init()
    checks = (*SOUND, "! ./gone.sh", "./gone; ./gone")
    blocked = [check for check in checks if health(lab, "--verify-cmd", check)["blockers"]]
    assert blocked == ["! ./gone.sh", "./gone; ./gone"]


def spoil(lab: Lab, name: str, text: str) -> None:
    lab.repo.write(name, text)


ILLS: dict[str, tuple[Callable[[Lab], object], tuple[object, ...], str, str]] = {
    "disk full": (lambda lab: None, ("--min-free-mb", 10**9), "block", "MB of disk free, 1000000000 needed"),
    "verify gone": (lambda lab: None, ("--verify-cmd", "python3 bench.py"), "block", "bench.py, which is gone"),
    "no program": (lambda lab: None, ("--verify-cmd", "no-such-thing 1"), "block", "not on PATH"),
    "scope gone": (lambda lab: None, ("--scope", "lib/"), "block", "nothing in"),
    "diverged": (
        lambda lab: spoil(
            lab,
            "autoresearch-state.json",
            (lab.path / "autoresearch-state.json").read_text().replace('"keeps": 0', '"keeps": 5'),
        ),
        (),
        "block",
        "keeps: snapshot 5, log 0",
    ),
    "no snapshot": (lambda lab: (lab.path / "autoresearch-state.json").unlink(), (), "warn", "there is no snapshot"),
    "stranger": (lambda lab: spoil(lab, "new.txt", "x"), (), "warn", "changes outside the scope: new.txt"),
    "staged": (
        lambda lab: lab.repo.git("add", "--force", "research-results.tsv"),
        (),
        "block",
        "artifacts are staged: research-results.tsv",
    ),
    "merge": (lambda lab: conflict(lab.repo), (), "block", "an operation is unfinished (MERGE_HEAD)"),
}


@pytest.mark.parametrize("case", ILLS)
def test_each_ill_is_named(lab: Lab, case: str):
    act, flags, decision, words = ILLS[case]
    lab.init()
    act(lab)
    answer = health(lab, *flags)
    assert answer["decision"] == decision
    assert any(words in text for text in answer["blockers" if decision == "block" else "warnings"]), answer


def test_little_disk_is_a_warning(lab: Lab):
    free = os.statvfs(lab.path)
    mb = free.f_bavail * free.f_frsize // 2**20
    answer = health(lab, "--min-free-mb", max(1, mb - 400))
    assert answer["decision"] == ("ok" if mb > 1400 else "warn")


def test_a_folder_without_git_is_a_warning(tmp_path: Path, run_script: Callable[..., Ran]):
    folder = tmp_path / "plain"
    folder.mkdir()
    answer = run_script("health_check", "--repo", folder, "--min-free-mb", 1).json
    assert answer["decision"] == "warn"
    assert answer["warnings"][-1].endswith("not a git repository")
