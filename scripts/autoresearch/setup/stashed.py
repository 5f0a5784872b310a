"""What lies in git's stash when a run begins is the user's: it may come back while the run goes on."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

from ..kernel.core import log_events, scope
from ..kernel.disk import hashes
from ..kernel.disk.journal import Event
from ..kernel.system import gitcall, gitfiles
from ..kernel.system.git import Repo
from ..kernel.system.gitread import Reader, names_in

_MOST = 10  # entries of the stash that are looked at, the newest
_FILES = 500  # files of each that are remembered


def events(trees: Mapping[str, tuple[Path, str]], without: Collection[str]) -> list[Event]:
    """`foreign` events that name the stashed files outside the scope, with the digests that they come back with.

    `trees` gives checkout and scope of each repository, `without` names what the checks themselves write.
    """
    found: list[Event] = []
    for repo, (tree, pattern) in trees.items():
        inside = scope.matcher(pattern)
        files = {path: digest for path, digest in _files(tree).items() if not inside(path) and path not in without}
        if files:
            found.append(log_events.make("foreign", repo=repo, files=files))
    return found


def _files(tree: Path) -> dict[str, str]:
    known: dict[str, str] = {}
    for commit in _entries(tree):
        for end, args in ((commit, [commit + "^1", commit]), (commit + "^3", ["--root", commit + "^3"])):
            code, out, _ = gitcall.attempt(
                tree, ["diff-tree", "-r", "-z", "--no-renames", "--no-commit-id", "--name-only", *args]
            )
            paths = names_in(out)[:_FILES] if code == 0 else ()  # without untracked files there is no third parent
            known = {**_digests(tree, end, paths), **known} if paths else known
    return known


def _entries(tree: Path) -> list[str]:
    if not Repo(tree).is_git():
        return []
    lines = gitfiles.text_of(Reader(tree).common_dir() / "logs" / "refs" / "stash").splitlines()
    return [words[1] for words in (line.split(" ", 2) for line in reversed(lines[-_MOST:])) if len(words) > 1]


def _digests(tree: Path, commit: str, paths: tuple[str, ...]) -> dict[str, str]:
    """The files as git would write them into the tree: with its filters and line ends, which the digests count."""
    with gitfiles.scratch(Repo(tree).git_dir(), "stash") as folder:
        env = {"GIT_INDEX_FILE": str(folder / "index")}
        gitcall.attempt(tree, ["read-tree", commit], env=env)
        names = b"".join(os.fsencode(path) + b"\0" for path in paths)
        gitcall.attempt(tree, ["checkout-index", "-q", f"--prefix={folder}/files/", "-z", "--stdin"], names, env)
        return hashes.digests(folder / "files", paths)
