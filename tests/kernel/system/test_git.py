from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from autoresearch.kernel.system import gitcall
from autoresearch.kernel.system.git import Change, GitError, Repo
from autoresearch.kernel.system.gittrees import Trees
from autoresearch.kernel.system.gitundo import TrialCommit, take_back
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ODD = ["new\nline", "-dash", "--all", "ünï", "sp ace", ":(top)x", "*", "[a]", "tab\tx", '"q"', "back\\slash", "\udcff"]


def dirty(repo):
    """The user's own work: one path staged and edited again, one only edited, one untracked."""
    repo.put("user.txt", "staged\n")
    repo.git("add", "user.txt")
    repo.put("user.txt", "staged and more\n")
    repo.put("notes", "untracked\n")
    return {c.path: c for c in repo.changes()}


def aside(repo):
    return repo.root.parent / "aside"


def undo(repo, base, trial, message):
    """Take the trial at or below HEAD back; returns where HEAD is then."""
    take_back(Trees(repo.root), TrialCommit(base, trial, repo.branch(), message or "", aside(repo)))
    return repo.head()


def users(repo):
    theirs = {c.path: c for c in repo.changes() if c.path in ("user.txt", "notes")}
    return theirs, repo.git("diff", "--cached")


def test_commit_takes_exactly_its_paths_whatever_their_names(repo):
    before = dirty(repo)
    for name in ODD:
        repo.put(name, name.encode("utf-8", "replace").decode())
    (repo.root / "a.txt").unlink()
    base = repo.head()
    new = repo.commit_paths([*ODD, "a.txt"], "trial\n\nAutoresearch-Run: x\nAutoresearch-Iteration: 3\n")
    assert repo.head() == new == repo.git("rev-parse", "HEAD").strip()
    assert repo.parent(new) == base
    assert set(repo.changed_paths(base, new)) == {*ODD, "a.txt"}
    assert {c.path: c for c in repo.changes()} == before
    assert repo.git("show", ":user.txt") == "staged\n"
    assert repo.trailers(new) == {"Autoresearch-Run": "x", "Autoresearch-Iteration": "3"}
    assert not list(repo.git_dir().glob("autoresearch*"))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=20).filter(
            lambda n: not n.lower().startswith((".", "git"))
        ),
        min_size=1,
        max_size=5,
        unique=True,
    )
)
def test_any_name_is_committed_and_undone(repo, names):
    names = ["odd/" + name for name in names]
    base = repo.head()
    for name in names:
        repo.put(name, "x")
    trial = repo.commit_paths(names, "trial")
    assert set(repo.changed_paths(base, trial)) == set(names)
    assert undo(repo, base, trial, None) == base
    assert repo.changes() == ()


def test_mode_symlink_binary_and_folder_replaced_by_file(repo):
    repo.put("d/x", "1")
    base = repo.commit_paths(["d/x"], "folder")
    (repo.root / "d/x").unlink()
    (repo.root / "d").rmdir()
    repo.put("d", "now a file")
    (repo.root / "a.txt").chmod(0o755)
    (repo.root / "link").symlink_to("a.txt")
    (repo.root / "bin").write_bytes(bytes(range(256)))
    trial = repo.commit_paths(["d/x", "d", "a.txt", "link", "bin"], "all kinds")
    assert repo.changes() == ()
    listing = repo.git("ls-tree", "-r", trial)
    assert "100755" in listing and "120000" in listing
    undo(repo, base, trial, "undo")
    assert repo.get("d/x") == "1" and not (repo.root / "bin").exists() and repo.changes() == ()


def test_no_empty_commit_and_no_embedded_repository(repo):
    for paths in ([], ["a.txt"]):
        with pytest.raises(ValueError):
            repo.commit_paths(paths, "nothing")
    subprocess.run(["git", "init", "-q", str(repo.root / "inner")], check=True)
    repo.put("inner/f", "x")
    assert repo.changes() == (Change("inner/", "?", False),)
    with pytest.raises(GitError, match="embedded"):
        repo.commit_paths(["inner/"], "no")


def test_hooks_signing_and_identity_of_the_user_do_not_matter(repo, home, monkeypatch):
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME")
        monkeypatch.delenv(f"GIT_{role}_EMAIL")
    hooks = home / "hooks"
    hooks.mkdir()
    for name in ("pre-commit", "commit-msg", "reference-transaction", "post-checkout", "post-index-change"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {home}/ran\nexit 1\n")
        (hooks / name).chmod(0o755)
    (home / ".gitconfig").write_text(
        f"[core]\nhooksPath = {hooks}\nfsmonitor = {hooks}/pre-commit\nsafecrlf = true\nautocrlf = input\n"
        "[commit]\ngpgSign = true\n[gpg]\nprogram = false\n[user]\nuseConfigOnly = true\n"
        "[status]\nshowUntrackedFiles = no\n[diff]\nnoprefix = true\nexternal = false\n"
        "[alias]\nstatus = !false\n"
    )
    base = repo.head()
    repo.put("a.txt", "two\r\n")
    assert [c.path for c in repo.changes()] == ["a.txt"]
    trial = repo.commit_paths(["a.txt"], "trial")
    assert "codex-autoresearch <autoresearch@localhost>" in repo.git("cat-file", "commit", trial)
    assert repo.patch(base, trial, 10**6).startswith(b"diff --git a/a.txt b/a.txt\n")
    undo(repo, base, trial, "undo")
    assert repo.get("a.txt") == "one\n" and not (home / "ran").exists()


def test_environment_of_another_repository_is_not_followed(repo, tmp_path, monkeypatch):
    head = repo.head()
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    repo.put("a.txt", "two\n")
    assert repo.parent(repo.commit_paths(["a.txt"], "trial")) == head


def test_first_commit_of_an_unborn_branch(tmp_path, home):
    subprocess.run(["git", "init", "-q", "-b", "new", str(tmp_path / "r")], check=True)
    repo = Repo(tmp_path / "r")
    assert (repo.head(), repo.branch(), repo.is_git()) == ("", "new", True)
    (repo.root / "f").write_text("x")
    assert b"+x" in repo.worktree_patch(["f"], 1000)
    first = repo.commit_paths(["f"], "first")
    assert repo.head() == first and repo.parent(first) == "" and repo.changes() == ()
    assert not Repo(tmp_path).is_git()


@pytest.mark.parametrize("message", [None, "Revert the trial"])
@pytest.mark.parametrize("stop_before", ["read-tree", "commit-tree", "update-ref"])
def test_undo_survives_a_kill_before_each_step(repo, monkeypatch, message, stop_before):
    dirty(repo)
    base = repo.head()
    repo.put("a.txt", "two\n")
    repo.put("sub/new", "x")
    trial = repo.commit_paths(["a.txt", "sub/new"], "trial")
    theirs = users(repo)
    real = gitcall.call

    def killed(cwd, args, *rest, **more):
        if args[0] == stop_before:
            raise KeyboardInterrupt
        return real(cwd, args, *rest, **more)

    monkeypatch.setattr(gitcall, "call", killed)
    if message is None and stop_before == "commit-tree":
        stop_before = "update-ref"
    with pytest.raises(KeyboardInterrupt):
        undo(repo, base, trial, message)
    monkeypatch.undo()
    for _ in range(2):
        end = undo(repo, base, trial, message)
    assert repo.head() == end and repo.changed_paths(base, end) == ()
    assert repo.parent(end) == (trial if message else repo.parent(base))
    assert repo.get("a.txt") == "one\n" and not (repo.root / "sub").exists()
    assert users(repo) == theirs


def test_undo_completes_a_checkout_that_was_killed_half_way(repo):
    base = repo.head()
    for name in ("a.txt", "b", "c"):
        repo.put(name, "two\n")
    trial = repo.commit_paths(["a.txt", "b", "c"], "trial")
    repo.put("a.txt", "one\n")  # as git leaves it: files first, index last
    (repo.root / "b").unlink()
    undo(repo, base, trial, "undo")
    assert repo.changes() == () and not (repo.root / "c").exists()


def test_what_is_in_the_way_of_an_undo_is_moved_aside(repo):
    base = repo.head()
    repo.put("a.txt", "two\n")
    repo.put("new", "n\n")
    trial = repo.commit_paths(["a.txt", "new"], "trial")
    repo.put("a.txt", "meanwhile\n")
    (repo.root / "new").unlink()
    repo.put("new/deep", "a folder where a file was\n")
    undo(repo, base, trial, "undo")
    assert repo.get("a.txt") == "one\n" and repo.get("new/deep") == "a folder where a file was\n"
    assert (aside(repo) / "a.txt").read_text() == "meanwhile\n"
    assert repo.changed_paths(base, repo.head()) == ()


def test_a_commit_on_top_stays_and_the_trial_below_it_is_reverted(repo):
    base = repo.head()
    repo.put("a.txt", "two\n")
    trial = repo.commit_paths(["a.txt"], "trial")
    repo.put("users", "u\n")
    repo.commit_paths(["users"], "user")
    for message in ("undo", None):
        undo(repo, base, trial, message)
    assert repo.get("a.txt") == "one\n" and repo.changed_paths(base, repo.head()) == ("users",)
    assert repo.changes() == ()


def test_an_amended_trial_is_reverted_where_it_is_still_the_trials(repo):
    base = repo.head()
    repo.put("a.txt", "two\n")
    repo.put("b", "two\n")
    trial = repo.commit_paths(["a.txt", "b"], "trial")
    repo.put("b", "users\n")
    repo.git("commit", "-q", "-a", "--amend", "-m", "mine")
    undo(repo, base, trial, "undo")
    assert (repo.get("a.txt"), repo.get("b"), repo.changes()) == ("one\n", "users\n", ())


def test_a_trial_on_a_branch_that_was_left_is_undone_there(repo):
    base, branch = repo.head(), repo.branch()
    repo.put("a.txt", "two\n")
    trial = repo.commit_paths(["a.txt"], "trial")
    repo.git("switch", "-q", "-c", "elsewhere", base)
    repo.put("a.txt", "users\n")
    take_back(Trees(repo.root), TrialCommit(base, trial, branch, "undo", aside(repo)))
    assert repo.get("a.txt") == "users\n" and repo.head() == base
    assert repo.changed_paths(base, repo.commit_at(branch)) == () and repo.parent(branch) == trial


def test_soft_undo_leaves_the_edit_and_the_users_index(repo):
    dirty(repo)
    base = repo.head()
    repo.put("a.txt", "two\n")
    repo.put("new", "x")
    trial = repo.commit_paths(["a.txt", "new"], "trial")
    for _ in range(2):
        repo.soft_undo(base, trial)
    found = {c.path: (c.code, c.staged) for c in repo.changes()}
    assert found == {"a.txt": ("M", False), "new": ("?", False), "user.txt": ("M", True), "notes": ("?", False)}
    assert repo.head() == base


def test_switch_content_goes_there_and_back_without_moving_head(repo):
    base = repo.head()
    repo.put("a.txt", "two\n")
    trial = repo.commit_paths(["a.txt"], "trial")
    repo.switch_content(trial, base)
    assert repo.get("a.txt") == "one\n" and repo.head() == trial
    os.utime(repo.root / "a.txt", (1, 1))  # touched, not changed
    repo.switch_content(base, trial)
    assert repo.get("a.txt") == "two\n" and repo.changes() == ()


def test_changes_name_every_kind(repo):
    repo.put("gone", "g")
    repo.put("kept", "k")
    repo.commit_paths(["gone", "kept"], "more")
    repo.git("mv", "a.txt", "renamed.txt")
    repo.git("rm", "-q", "--cached", "kept")
    (repo.root / "gone").unlink()
    repo.put("folder/u", "x")
    repo.put(".gitignore", "ignored\n")
    repo.put("ignored", "x")
    found = {(c.path, c.code, c.staged) for c in repo.changes()}
    assert found == {
        ("a.txt", "D", True),
        ("renamed.txt", "A", True),
        ("gone", "D", False),
        ("kept", "M", True),
        ("folder/u", "?", False),
        (".gitignore", "?", False),
    }
    assert set(repo.untracked_roots()) == {"folder/", ".gitignore", "kept"}
    repo.restore(["gone"])
    assert repo.get("gone") == "g"


def test_unmerged_paths_are_seen(repo):
    repo.git("checkout", "-q", "-b", "other")
    repo.put("a.txt", "other\n")
    repo.commit_paths(["a.txt"], "other")
    repo.git("checkout", "-q", "main")
    repo.put("a.txt", "main\n")
    repo.commit_paths(["a.txt"], "main")
    subprocess.run(["git", "merge", "other"], cwd=repo.root, capture_output=True)
    assert repo.changes() == (Change("a.txt", "U", True),)


def test_linked_worktrees_share_history_and_fold_away(repo, tmp_path):
    side = tmp_path / "side"
    repo.git("worktree", "add", "-q", "-b", "autoresearch/x", str(side))
    linked = Repo(side)
    assert linked.is_linked_worktree() and not repo.is_linked_worktree()
    assert linked.branch() == "autoresearch/x" and linked.head() == repo.head()
    assert linked.common_dir() == repo.common_dir()
    (side / "a.txt").write_text("side\n")
    linked.exclude(["hidden"])
    (side / "hidden").write_text("x")
    new = linked.commit_paths(["a.txt"], "side")
    assert linked.changes() == () and repo.changes() == () and repo.exists(new) and repo.head() != new
    repo.remove_worktree(side)
    assert not side.exists()
    repo.git("worktree", "add", "-q", "--detach", str(side), new)
    assert Repo(side).branch() == "" and Repo(side).head() == new


def test_heads_are_read_from_packed_refs_too(repo):
    head = repo.head()
    repo.git("branch", "topic/x")
    repo.git("pack-refs", "--all")
    assert repo.head() == head and repo.default_branch() == "main" and repo.short(head) == head[:7]
    repo.git("checkout", "-q", "topic/x")
    assert repo.branch() == "topic/x"
    assert not repo.exists("f" * 40) and not repo.exists("--all")


def test_patches_are_whole_or_cut_and_leave_no_trace(repo):
    base = repo.head()
    repo.put("new", "n\n")
    (repo.root / "bin").write_bytes(b"\0\1" * 50)
    patch = repo.worktree_patch(["new", "bin"], 10**6)
    assert [c.code for c in repo.changes()] == ["?", "?"]
    trial = repo.commit_paths(["new", "bin"], "t")
    assert repo.patch(base, trial, 10**6) == patch and b"GIT binary patch" in patch
    assert repo.patch(base, trial, 20) == patch[:20] + b"\n[patch cut at 20 bytes]\n"
    undo(repo, base, trial, None)
    subprocess.run(["git", "apply"], input=patch, cwd=repo.root, check=True)
    assert repo.get("new") == "n\n"


def test_tracked_patterns_and_blob_ids(repo):
    repo.put("src/a.py", "1")
    repo.put("src/deep/b.py", "1")
    repo.commit_paths(["src/a.py", "src/deep/b.py"], "src")
    assert repo.tracked(["src/*.py"]) == ("src/a.py",)
    assert repo.tracked(["src/**/*.py"]) == repo.tracked(["src"]) == ("src/a.py", "src/deep/b.py")
    ids = repo.blob_ids(["src/a.py", "src/deep/b.py", "nowhere"])
    assert set(ids) == {"src/a.py", "src/deep/b.py"} and len(set(ids.values())) == 1


def test_exclude_adds_each_line_once(repo):
    path = repo.git_dir() / "info" / "exclude"
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    repo.exclude(["x.tsv", "y/"])
    repo.exclude(["y/", "z"])
    assert path.read_text() == "mine\nx.tsv\ny/\nz\n"


def test_sparse_checkout_keeps_what_is_not_checked_out(repo):
    repo.put("in/x", "1")
    repo.put("out/y", "1")
    base = repo.commit_paths(["in/x", "out/y"], "two folders")
    repo.git("sparse-checkout", "set", "in")
    repo.put("in/x", "2")
    trial = repo.commit_paths(["in/x"], "trial")
    assert repo.changed_paths(base, trial) == ("in/x",) and repo.changes() == ()
    undo(repo, base, trial, "undo")
    assert repo.get("in/x") == "1" and not (repo.root / "out").exists() and repo.changes() == ()


def test_filters_apply_both_ways(repo):
    repo.put(".gitattributes", "*.up filter=up\n*.crlf text eol=crlf\n")
    repo.git("config", "filter.up.clean", "tr a-z A-Z")
    repo.git("config", "filter.up.smudge", "tr A-Z a-z")
    repo.put("f.up", "one\n")
    (repo.root / "f.crlf").write_bytes(b"x\r\n")
    base = repo.commit_paths([".gitattributes", "f.up", "f.crlf"], "base")
    repo.put("f.up", "two\n")
    trial = repo.commit_paths(["f.up"], "trial")
    assert repo.git("show", f"{trial}:f.up") == "TWO\n"
    undo(repo, base, trial, None)
    assert repo.get("f.up") == "one\n" and repo.changes() == ()
    assert (repo.root / "f.crlf").read_bytes() == b"x\r\n"


def test_submodule_commit_is_a_change_like_any_other(repo, tmp_path):
    inner = tmp_path / "lib"
    subprocess.run(["git", "init", "-q", str(inner)], check=True)
    lib = Repo(inner)
    (inner / "l").write_text("1")
    lib.commit_paths(["l"], "lib")
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "lib")
    repo.commit_paths([".gitmodules", "lib"], "submodule")
    assert repo.changes() == ()
    module = Repo(repo.root / "lib")
    (module.root / "l").write_text("2")
    assert repo.changes() == (Change("lib", "S", False),)
    module.commit_paths(["l"], "new lib")
    repo.commit_paths(["lib"], "bump")
    assert repo.changes() == ()


def test_read_only_git_folder_is_told_apart(repo):
    for line in (
        b"fatal: Unable to create '/r/.git/index.lock': Read-only file system",
        b"error: insufficient permission for adding an object to repository database .git/objects",
    ):
        assert gitcall.error(line).read_only
    assert not gitcall.error(b'error: open("secret"): Permission denied').read_only
    with pytest.raises(GitError, match="not a git repository"):
        Repo(repo.root.parent).git_dir()


def test_leftover_index_of_a_killed_process_is_swept(repo):
    dead = subprocess.Popen(["true"])
    dead.wait()
    for suffix in ("", ".lock"):
        (repo.git_dir() / f"autoresearch-{dead.pid}.index{suffix}").write_text("torn")
    repo.put("a.txt", "two\n")
    repo.commit_paths(["a.txt"], "trial")
    assert not list(repo.git_dir().glob("autoresearch*"))


def test_a_folder_replaced_by_a_link_is_committed_and_undone(repo):
    repo.put("folder/inner", "1\n")
    repo.commit_paths(["folder/inner"], "folder")
    base = repo.head()
    (repo.root / "folder" / "inner").unlink()
    (repo.root / "folder").rmdir()
    (repo.root / "folder").symlink_to("elsewhere")
    trial = repo.commit_paths([change.path for change in repo.changes()], "link")
    assert repo.changed_paths(base, trial) == ("folder", "folder/inner")
    undo(repo, base, trial, "back")
    assert repo.get("folder/inner") == "1\n"
    assert repo.changes() == ()


def test_a_folder_that_only_has_the_name_of_a_repository_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    Repo(tmp_path).exclude(["/notes"])
    assert list((tmp_path / ".git").iterdir()) == []
