from __future__ import annotations

import subprocess
import sys

from tests.conftest import HANG, SCRIPTS


def test_ideas_are_added_listed_and_marked(repo, run_script):
    (repo.path / "deep").mkdir()
    first = run_script("ideas", "add", "--repo", repo.path / "deep", "--text", "cache parsed config")
    assert first.json == {"id": 1, "status": "open", "text": "cache parsed config"}
    assert run_script("ideas", "add", "--repo", repo.path, "--text", "one pass").json["id"] == 2
    marked = run_script("ideas", "set", "--repo", repo.path, "--id", 1, "--status", "tried", "--note", "no gain")
    assert marked.json == {"id": 1, "status": "tried", "text": "cache parsed config", "note": "no gain"}
    listed = run_script("ideas", "list", "--repo", repo.path).json
    assert listed["counts"] == {"open": 1, "tried": 1, "kept": 0, "dropped": 0}
    assert [idea["id"] for idea in listed["ideas"]] == [2, 1], "open ones first"
    only = run_script("ideas", "list", "--repo", repo.path, "--status", "tried").json
    assert [idea["id"] for idea in only["ideas"]] == [1]
    assert "- I-1 [tried] cache parsed config\n  - note: no gain\n" in repo.read("autoresearch-ideas.md")


def test_an_unknown_idea_is_refused_and_nothing_is_lost(repo, run_script):
    run_script("ideas", "add", "--repo", repo.path, "--text", "one pass")
    before = repo.read("autoresearch-ideas.md")
    refused = run_script("ideas", "set", "--repo", repo.path, "--id", 9, "--status", "kept")
    assert (refused.code, refused.out) == (1, "")
    assert "no idea 9" in refused.err
    assert repo.read("autoresearch-ideas.md") == before
    assert run_script("ideas", "set", "--repo", repo.path, "--id", 1, "--status", "won").code == 2


def test_a_list_of_none_is_empty_and_writes_nothing(repo, run_script):
    assert run_script("ideas", "list", "--repo", repo.path).json["ideas"] == []
    assert repo.status() == ""


def test_ideas_added_at_once_are_all_there(repo, run_script):
    command = [sys.executable, SCRIPTS / "autoresearch_ideas.py", "add", "--repo", repo.path, "--text"]
    adders = [subprocess.Popen([*command, f"idea {n}"], stdout=subprocess.DEVNULL) for n in range(8)]
    assert [adder.wait(HANG) for adder in adders] == [0] * 8
    listed = run_script("ideas", "list", "--repo", repo.path).json["ideas"]
    assert sorted(idea["id"] for idea in listed) == list(range(1, 9))
    assert {idea["text"] for idea in listed} == {f"idea {n}" for n in range(8)}
