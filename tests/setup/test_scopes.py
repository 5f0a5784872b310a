"""Scopes that would make every trial a refusal, and edits that git does not show."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.conftest import Repo
from tests.lab import Lab, refused

FLAGS = ("--dry-run", "--direction", "lower", "--metric-name", "cost")


def dry(lab: Lab, scope: str, verify: str = "cat src/value", *flags: object, **more: Any) -> Any:
    """A dry run with this scope."""
    return lab.call("init_run", *FLAGS, "--scope", scope, "--verify", verify, *flags, **more)


@pytest.mark.parametrize(
    ("scope", "meant"),
    [
        ("My App/**", """--scope '"My App/**"' matches 1, e.g. My App/v.txt"""),
        ("scr/**", "did you mean src"),
        ("SRC/value", "did you mean src/value"),
        ("api/index.js", "--scope '**/api/index.js' matches 1, e.g. packages/api/index.js"),
        ("index.js", "--scope '**/index.js' matches 1, e.g. packages/api/index.js"),
        ("lib/", "at the top there are .gitignore, My App, README.md, notes.txt, packages, src"),
        ("made/**", "made/ is ignored by git"),
    ],
)
def test_a_scope_that_matches_nothing_is_refused_with_what_would(lab: Lab, scope: str, meant: str):
    lab.repo.write("My App/v.txt", "10\n")
    lab.repo.write("packages/api/index.js", "\n")
    lab.repo.write(".gitignore", "made/\n")
    lab.repo.commit("more files")
    lab.repo.write("made/x", "1\n")
    refused(dry(lab, scope), f"scope {scope!r} matches no file", meant)
    assert not list(lab.path.glob("autoresearch*"))


def test_a_scope_is_understood_from_the_folder_below(lab: Lab):
    lab.repo.write("packages/api/index.js", "\n")
    lab.repo.write("packages/api/b c.js", "\n")
    lab.repo.commit("more files")
    told = dry(lab, "index.js !x.js", cwd=lab.path / "packages" / "api")
    refused(told, "--scope 'packages/api/index.js !packages/api/x.js' matches 1")
    told = dry(lab, '"b c.js" .', cwd=lab.path / "packages" / "api")
    assert told.code == 0 or "packages/api" in told.err


def test_blanks_in_quotes_belong_to_the_name(lab: Lab):
    lab.repo.write("My App/v.txt", "10\n")
    lab.repo.commit("more files")
    for scope in ('"My App/**"', "My\\ App/**"):
        lab.scope = scope
        told = dry(lab, scope, "cat 'My App/v.txt'").json["warnings"]
        assert any("keep them in every command" in line for line in told), told
    lab.init(verify="cat 'My App/v.txt'")
    lab.repo.write("My App/v.txt", "9\n")
    assert lab.try_out().json["status"] == "keep"


def test_a_pattern_among_several_that_matches_nothing_is_told_of(lab: Lab):
    told = dry(lab, "src/ tset/**").json["warnings"]
    assert any(line.startswith("tset/** in the scope matches no file") for line in told), told


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_files_that_git_was_told_not_to_look_at_are_refused(lab: Lab, flag: str):
    lab.repo.git("update-index", flag, "src/value")
    refused(dry(lab, "src/"), "src/value", flag.replace("--", "--no-"))
    lab.repo.git("update-index", flag.replace("--", "--no-"), "src/value")
    lab.init()
    lab.repo.git("update-index", flag, "src/value")
    lab.value(3)
    refused(lab.try_out(), "not to look at src/value", "is in no commit")


def test_an_edit_of_an_ignored_file_in_the_scope_is_refused(lab: Lab):
    lab.repo.write(".gitignore", "*.json\n*.log\n")
    lab.repo.commit("ignore")
    lab.repo.write("src/conf.json", "1\n")
    refused(
        dry(lab, "src/value src/conf.json"), "src/conf.json is in the scope but ignored", "git add -f src/conf.json"
    )
    lab.init(verify="date > src/check.log; cat src/value")
    lab.trial(9)  # what the check itself writes is no edit
    lab.repo.write("src/conf.json", "2\n")
    refused(lab.try_out(), "src/conf.json was changed and is ignored by git")
    lab.value(8)
    refused(lab.try_out(), "src/conf.json was changed")
    lab.repo.write("src/conf.json", "1\n")
    lab.repo.write("src/new.json", "1\n")
    refused(lab.try_out(), "src/new.json was changed")
    (lab.path / "src" / "new.json").unlink()
    assert lab.trial()["status"] == "keep"


def test_line_endings_against_the_attributes_are_told_from_an_edit(lab: Lab):
    (lab.path / "src" / "dos.txt").write_bytes(b"a\r\n")
    lab.repo.commit("dos")
    lab.repo.write(".gitattributes", "*.txt text eol=lf\n")
    lab.repo.git("add", ".gitattributes")
    lab.repo.git("commit", "-qm", "attributes")
    refused(dry(lab, "src/"), "src/dos.txt is stored with CRLF line endings", "git add --renormalize .")
    lab.repo.git("add", "--renormalize", ".")
    lab.repo.commit("line endings")
    assert dry(lab, "src/").code == 0


def test_line_endings_that_come_in_mid_run_are_told_from_an_edit(lab: Lab):
    lab.repo.write("src/dos.txt", "a\nb\n")
    lab.repo.write(".gitattributes", "*.txt text eol=lf\n")
    lab.repo.commit("attributes")
    lab.init()
    (lab.path / "src" / "dos.txt").write_bytes(b"a\r\nb\r\n")  # an editor of another system saves it
    lab.repo.write("src/value", "9\n")
    assert lab.trial(9)["status"] == "keep"
    assert lab.repo.git("show", "--name-only", "--format=", "HEAD") == "src/value"


def test_a_lock_on_all_that_the_scope_has_is_refused(lab: Lab):
    lab.repo.write("bench.py", "print(3)\n")
    lab.repo.commit("a check in the scope")
    refused(dry(lab, "bench.py", "python3 bench.py"), "the checks run bench.py", "every trial would be refused")
    told = dry(lab, "src/ bench.py", "cat src/value", "--guard", "python3 bench.py").json["warnings"]
    assert any(line.startswith("bench.py is in the scope but run by a check") for line in told), told


def test_a_check_named_as_seen_from_below_is_told_of(lab: Lab, tmp_path: Path):
    lab.repo.write("sub/check.py", "print(3)\n")
    lab.repo.commit("a check below")
    told = dry(lab, "src/", "cat src/value; : check.py", cwd=lab.path / "sub").json["warnings"]
    assert "checks run in the repository's root, where check.py is sub/check.py: name it so" in told


@pytest.mark.skipif(sys.platform != "linux", reason="opens are seen by inotify(7)")
def test_an_ignored_file_outside_the_scope_that_the_check_reads_is_watched(lab: Lab):
    lab.repo.write(".gitignore", ".env\nunread\n")
    lab.repo.write("check.sh", "cat .env >&2\n")
    lab.repo.commit("ignore")
    lab.repo.write(".env", "1\n")
    lab.init(verify="sh check.sh && cat src/value")
    lab.repo.write("unread", "1\n")
    lab.trial(9)
    lab.repo.write(".env", "2\n")
    lab.value(8)
    refused(lab.try_out(), ".env was changed and is ignored by git")


def test_a_scope_inside_a_submodule_is_refused_by_name(lab: Lab, make_repo: Callable[[str], Repo]):
    other = make_repo("lib")
    other.write("v", "10\n")
    other.commit("start")
    lab.repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.path), "lib")
    lab.repo.git("commit", "-qm", "a submodule")
    for pattern in ("lib/**", "src/ lib/v"):
        refused(dry(lab, pattern), "lib is a submodule", "--companion-repo-scope lib=")
    assert dry(lab, "src/").code == 0
