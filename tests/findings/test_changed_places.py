"""Answers that show what changed: findings gone, new and left, and which of several guards failed."""

from __future__ import annotations

import json
from typing import Callable

import pytest

from tests.conftest import Ran, Repo

CHECK = """\
import re
found = [
    f"{name}:{number}: {line.strip()} [{'old' if 'old' in line else 'bad'}]"
    for name in ("src/a.txt", "src/b.txt")
    for number, line in enumerate(open(name), 1)
    if "bad" in line or "old" in line
]
print(f"METRIC found={len(found)}")
print("METRIC old=1")
print("\\n".join(found))
"""
START = {"src/a.txt": "bad 1\nbad 2\nold 3\n", "src/b.txt": "bad 4\n", "check.py": CHECK, "fail.sh": "exit 0\n"}


@pytest.fixture
def begun(repo: Repo, run_script: Callable[..., Ran]) -> Callable[..., Ran]:
    """Return a function that starts a run with these further flags, and answers with the start."""

    def start(*flags: str) -> Ran:
        for path, text in START.items():
            repo.write(path, text)
        repo.commit("start")
        base = ("--goal", "g", "--scope", "src", "--metric-name", "found", "--direction", "lower")
        return run_script("init_run", "--repo", repo.path, *base, "--verify", "python3 check.py", *flags)

    return start


def test_a_trial_tells_what_is_gone_new_and_left(repo, begun, run_script):
    started = begun()
    assert started.json["size"].startswith("one experiment is one kind of fix"), started.err
    repo.write("src/a.txt", "fine\n\n\nbad 2\nbad 9\n")
    ran = run_script("run_trial", "--repo", repo.path, "--description", "d").json
    assert (ran["status"], ran["findings"]) == ("keep", "gone 2, new 1")
    assert ran["new_first"] == ["src/a.txt:5: bad 9 [bad]"]
    assert ran["left"] == "2 bad in a.txt, 1 bad in b.txt"
    kept = json.loads((repo.path / ran["evidence_path"] / "findings.json").read_text())
    assert kept["gone"] == ["src/a.txt:1: bad 1 [bad]", "src/a.txt:3: old 3 [old]"]
    assert len(kept["left"]) == 3
    repo.write("src/b.txt", "bad 4\nbad 5\n")
    worse = run_script("run_trial", "--repo", repo.path, "--description", "e").json
    assert (worse["status"], worse["findings"], worse["left"]) == (
        "discard", "gone 0, new 1", "2 bad in a.txt, 1 bad in b.txt",
    )  # fmt: skip


def test_the_guard_that_failed_is_named_with_its_lines(repo, begun, run_script):
    started = begun("--guard", "quiet=true", "--guard", "types=sh src/fail.sh", "--guard", "last=false || true")
    assert started.code == 1 and "types: exit code" in started.err
    repo.write("src/fail.sh", "exit 0\n")
    started = begun("--guard", "quiet=true", "--guard", "types=sh src/fail.sh", "--guard", "last=false || true")
    assert started.code == 0, started.err
    head = (repo.path / "research-results.tsv").read_text()
    assert "# guard: : quiet && true && : types && sh src/fail.sh && : last && (false || true)\n" in head


def test_what_has_no_gain_names_a_limit_that_it_breaks_too(repo, begun, run_script, monkeypatch):
    counting = "print(f\"METRIC old={sum('old' in line for line in found)}\")"
    monkeypatch.setitem(START, "check.py", CHECK.replace('print("METRIC old=1")', counting))
    assert begun("--require", "old <= baseline").code == 0
    repo.write("src/a.txt", "bad 2\nold 3\nold 4\n")
    ran = run_script("run_trial", "--repo", repo.path, "--description", "d").json
    assert (ran["status"], ran["decision"]) == ("discard", "equal; also required: old is 2, required <= 1")


def test_a_warning_is_not_the_cause_of_a_failure(repo, begun, run_script):
    repo.write("noise.txt", "x.py:1: CoverageWarning: failed to look")
    text = "grep -q bad src/a.txt && exit 0; echo 'E  assert 1 == 2'; cat noise.txt >&2; exit 1"
    repo.write("judge.sh", text + "\n")
    assert begun("--guard", "sh judge.sh").code == 0
    repo.write("src/a.txt", "fine\nold 3\n")
    ran = run_script("run_trial", "--repo", repo.path, "--description", "d").json
    assert ran["decision"] == "guard failed: exit code 1: E assert 1 == 2"


def test_a_failed_part_of_a_plain_guard_is_named(repo, begun, run_script):
    script = (
        "grep -q bad src/a.txt && exit 0; echo 'a.ts(1,2): error TS1: one'; echo 'b.ts(3,4): error TS2: two'; exit 1"
    )
    repo.write("judge.sh", script + "\n")
    assert begun("--guard", "test -f check.py && sh judge.sh").code == 0
    repo.write("src/a.txt", "fine\nold 3\n")
    ran = run_script("run_trial", "--repo", repo.path, "--description", "d").json
    assert (ran["status"], ran["guard"]) == ("discard", "fail")
    assert ran["decision"].startswith("guard failed: sh judge.sh: exit code 1: b.ts(3,4): error TS2: two")
    assert ran["said"] == ["a.ts(1,2): error TS1: one", "b.ts(3,4): error TS2: two"]


def test_the_dry_run_drafts_the_first_message(repo, begun):
    draft = begun("--dry-run", "--guard", "tests=true", "--require", "old <= baseline").json["draft"]
    assert len(draft) <= 12
    assert draft[1] == "Now: " + "found is 4 and repeats exactly" + draft[1].partition("exactly")[2]
    assert "Must not break: tests (passes today)" in draft
    assert draft[-1] == 'Reply "background, 20, go" or "foreground, 20, go", or tell me what to change.'
    assert sum(map(len, draft)) < 1500
