"""What a check takes, hides or breaks is put back, the row is a crash, and what it left running is ended."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from tests.lab import ARMED, Lab, armed, refused, running_below
from tests.unattended import until


@pytest.mark.parametrize(
    "act",
    [
        "git ls-files -o | grep research | xargs rm",
        "rm research-results.tsv autoresearch-state.json",
        "rm -r autoresearch-evidence",
        "rm .git/index",
        ": > research-results.tsv",
        "echo garbage >> research-results.tsv",
        "rm autoresearch-state.json; mkdir autoresearch-state.json",
    ],
)
def test_what_a_check_deletes_in_a_trial_is_put_back_and_the_row_is_a_crash(lab: Lab, act: str):
    lab.init(verify=ARMED.format(act), guard="")
    lab.trial(9)
    (lab.path.parent / "arm").touch()
    answer = lab.trial(8)
    assert (answer["status"], lab.repo.read("src/value"), lab.repo.status()) == ("crash", "9\n", "")
    assert "the check deletes files that are not its own" in answer["decision"]
    assert lab.trial(7)["status"] == "keep"


HIDES = "git update-index --{} src/value; echo 3 > src/value"
TAKES = {
    "git checkout -q .": "takes back changes",
    "git reset -q --hard": "takes back changes",
    "git stash -q": "takes back changes",
    "rm draft.txt": "takes back changes",
    HIDES.format("skip-worktree"): "hides files",
    HIDES.format("assume-unchanged"): "hides files",
    "git sparse-checkout set notes": "hides files",
    "git config core.bare true": "breaks git",
    "git config core.worktree /tmp": "breaks git",
    "rm .git/config": "breaks git",
    "rm .git/HEAD": "breaks git",
    "rm -rf .git/refs": "breaks git",
    "echo junk > .git/index": "breaks git",
    "rm .git/config; mkdir .git/config": "breaks git",
    "git config core.repositoryformatversion 99": "breaks git",
    "git checkout -q --orphan z": "breaks git",
    "git replace HEAD HEAD~1": "breaks git",
    "git reset -q --soft HEAD~1": "was taken off its branch",
    "m=mv; $m .git ../away": "breaks git",
    "m=mv; $m .git ../away; git init -q": "breaks git",
}


@pytest.mark.parametrize("act", TAKES)
def test_what_a_check_takes_or_hides_is_put_back_and_the_row_is_a_crash(lab: Lab, act: str):
    lab.repo.write("draft.txt", "mine\n")
    lab.repo.write("notes.txt", "mine\n")
    armed(lab, act)
    before = lab.repo.status(), (lab.path / ".git/config").read_bytes()
    answer = lab.trial(8)
    assert (answer["status"], lab.repo.read("src/value")) == ("crash", "10\n")
    assert TAKES[act] in answer["decision"]
    assert (lab.repo.read("draft.txt"), lab.repo.read("notes.txt")) == ("mine\n", "mine\n")
    if "sparse" not in act:
        assert (lab.repo.status(), (lab.path / ".git/config").read_bytes()) == before
    assert lab.trial(7)["status"] == "keep"


def test_the_git_file_of_a_worktree_is_put_back(lab: Lab):
    tree = lab.path.parent / "linked"
    lab.repo.git("worktree", "add", "-q", str(tree))
    inner = Lab(replace(lab.repo, path=tree), lab.run_script)
    armed(inner, "m=rm; $m .git")
    assert "breaks git" in inner.trial(8)["decision"]
    assert inner.trial(7)["status"] == "keep"


@pytest.mark.parametrize("dry", [True, False])
@pytest.mark.parametrize(
    ("act", "words"),
    [
        ("git checkout -q .", "takes back"),
        ("git commit -qam x", "commits nothing"),
        (HIDES.format("skip-worktree"), "hides"),
    ],
)
def test_a_check_that_takes_the_users_work_is_refused_at_the_start(lab: Lab, act: str, words: str, dry: bool):
    lab.repo.write("notes.txt", "mine\n")
    flags = ["--scope", "src/", "--verify", f"{act}; cat src/value", "--metric-name", "c", "--direction", "lower"]
    ran = lab.call("init_run", *flags, "--environment-summary", "x", *(["--dry-run"] if dry else []))
    refused(ran, words)
    assert lab.repo.read("notes.txt") == "mine\n"
    assert not (lab.path / "research-results.tsv").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="macOS has no subreaper")
@pytest.mark.parametrize("hide", ["env -i", "setsid env -i", "env -i setsid sh -c '(sleep 91 &)'; env -i"])
def test_a_daemon_without_our_environment_is_ended_and_told(lab: Lab, hide: str):
    armed(lab, hide + " sh -c '(sleep 97 &) ; (sleep 98 &)' >/dev/null 2>&1 </dev/null")
    answer = lab.trial(9)
    assert until(lambda: running_below(lab.path) == [])
    assert answer["status"] == "crash" and "left processes behind" in answer["decision"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="macOS has no subreaper")
def test_a_daemon_without_our_environment_is_ended_by_the_command_after_a_killed_trial(lab: Lab):
    daemon = "setsid env -i sh -c '(sleep 97 &)' >/dev/null 2>&1 </dev/null"
    noted = "while ! grep -q . autoresearch-evidence/started.txt; do sleep 0.05; done; sleep 0.5"
    armed(lab, f"{daemon}; {noted}; kill -9 $PPID")
    lab.value(9)
    assert lab.try_out().code == -9
    assert running_below(lab.path) != []
    assert lab.trial()["status"] == "keep"  # which looks that nothing runs
    assert not lab.evidence("started.txt").exists()
