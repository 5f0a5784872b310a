"""Which paths are the tool's own, for git's exclude file too."""

from __future__ import annotations

import pytest
from autoresearch.kernel.core import artifacts

OWNED = (
    "research-results.tsv research-results.prev.tsv research-results.prev2.tsv research-results.tsv.bak "
    "research-results.tsv.tmp autoresearch-state.json autoresearch-state.prev.json autoresearch-state.json.2.bak "
    "autoresearch-state.json.tmp autoresearch-launch.json autoresearch-launch.prev.json autoresearch-runtime.json "
    "autoresearch-runtime.log autoresearch-runtime.prev.log autoresearch-lessons.md autoresearch-lessons.md.tmp "
    "autoresearch-evidence autoresearch-evidence/ autoresearch-evidence/0001/patch.diff "
    "autoresearch-evidence.prev/0001/trial.json autoresearch-evidence.prev2/x debug/260325-0102-slug/findings.md "
    "fix/260325-0102-slug/ security/260325-0102-slug/a/b ship/260325-0102-x"
).split()
FOREIGN = (
    "README.md src/research-results.tsv research-results.md my-research-results.tsv autoresearch-state.py "
    "autoresearch-evidence.md/../x autoresearch.json debug/notes.md debug/260325/x plan/260325-0102-slug/x "
    "src/autoresearch-evidence/x fix/260325-0102 autoresearch-lessons"
).split()


@pytest.mark.parametrize("path", OWNED)
def test_artifacts_and_their_variants_are_owned(path: str):
    assert artifacts.is_owned(path)


@pytest.mark.parametrize("path", [path for path in FOREIGN if ".." not in path])
def test_nothing_else_is(path: str):
    assert not artifacts.is_owned(path)


def test_untracked_ones_are_owned_in_subfolders_too():
    assert artifacts.is_owned("src/research-results.tsv", untracked=True)
    assert artifacts.is_owned("a/b/autoresearch-evidence/0001/x", untracked=True)
    assert not artifacts.is_owned("src/my-research-results.tsv", untracked=True)
    paths = ["a/autoresearch-state.json", "b/autoresearch-state.json"]
    assert artifacts.foreign(paths, "", untracked=[paths[0]]) == (paths[1],)


def test_git_excludes_the_same(repo):
    repo.write(".git/info/exclude", "\n".join(artifacts.EXCLUDE) + "\n")
    for path in OWNED:
        name = path.rstrip("/")
        if "." in name.rpartition("/")[2]:
            repo.write(name, "x")
    assert repo.status() == ""
    repo.write("src/research-results.tsv", "x")
    repo.write("debug/notes.md", "x")
    assert repo.status() == "?? debug/notes.md\n?? src/research-results.tsv"


def test_foreign_are_all_that_are_neither_artifacts_nor_the_skill():
    paths = ["a", "research-results.tsv", ".agents/skills/x/SKILL.md", ".agents/skills/xy", "own.tsv"]
    assert artifacts.foreign(paths, ".agents/skills/x", ["own.tsv"]) == ("a", ".agents/skills/xy")
    assert artifacts.foreign([".agents/skills/x/", ".agents/"], ".agents/skills/x") == (".agents/",)
    assert artifacts.foreign(["a"], "") == ("a",)
