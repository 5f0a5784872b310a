"""A git repository as the trial needs it: commit exactly these paths, undo exactly that commit.

Every step is ordered so that a kill between two git calls is mended by calling the method again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import gitcall, gitfiles, owners
from .gitcall import GitError
from .gitread import DIFF, PATCH, Change, Reader, names_in, text_in

__all__ = ["Change", "GitError", "Repo"]
_UPDATE = ("update-index", "--add", "--remove", "--replace", "-z", "--stdin")
_PATHS = ("--pathspec-from-file=-", "--pathspec-file-nul")


class Repo(Reader):
    """A repository that is read and written; hooks, signing and prompts never run."""

    def commit_paths(self, paths: Sequence[str], message: str) -> str:
        """Commit the working-tree content of exactly these paths on top of HEAD; returns the commit's id.

        What else is staged or changed is neither committed nor disturbed. Raises ValueError when
        that would be an empty commit, GitError for an embedded repository or when git fails.
        """
        if not paths:
            raise ValueError("no path to commit")
        head = self.head()
        with self._index(head, paths) as env:
            tree = text_in(self._write(["write-tree"], env=env))
        if tree == (self.tree_of(head) if head else ""):
            raise ValueError("the paths do not differ from HEAD")
        new = self.commit_tree(tree, head, message)
        # Index before branch: a kill in between leaves the edit staged, and it is committed next time.
        with self._index_kept():
            self._take(paths)
            self._move(new, head, "commit")
        return new

    @contextmanager
    def _index_kept(self) -> Iterator[None]:
        """The index as it was, where git declines in the block."""
        path = self.git_dir() / "index"
        before = path.read_bytes() if path.exists() else None
        try:
            yield
        except GitError:
            if before is not None:
                copy = path.with_name(f"autoresearch-{owners.mine()}.index")
                copy.write_bytes(before)
                os.replace(copy, path)
            raise

    def commit_tree(self, tree_of: str, parent: str, message: str) -> str:
        """A commit with the tree of `tree_of` on top of `parent` ("" for none); no branch moves."""
        parents = ["-p", parent] if parent else []
        args = ["commit-tree", *parents, "-F", "-", tree_of + "^{tree}"]
        body = (message.replace("\0", "").rstrip("\n") + "\n").encode("utf-8", "replace")
        return text_in(gitcall.signed(self._cwd(), args, body))

    def soft_undo(self, base: str, trial: str) -> None:
        """HEAD and the index of the trial's paths back to `base`; the edits stay in the working tree."""
        head = self.head()
        if head not in (base, trial):
            raise GitError(f"HEAD is at {head[:12]}, expected the trial {trial[:12]}")
        self._write(["read-tree", "-i", "-m", trial, base])
        if head == trial:
            self._move(base, trial, "undo")

    def switch_content(self, source: str, target: str, finish: bool = True) -> None:
        """Index and files from `source`'s content to `target`'s; HEAD stays, other changes too.

        Raises GitError when a path that differs between the two was changed meanwhile. A switch that was killed
        half-way is completed unless `finish` is false.
        """
        args = ["read-tree", "-m", "-u", source, target]
        try:
            self._write(args)
        except GitError:
            # Touched but equal files only need their times noted anew; a kill may have left a mixture.
            gitcall.attempt(self._cwd(), ["update-index", "-q", "--refresh"])
            if not finish:
                self._write(args)
            elif gitcall.attempt(self._cwd(), args)[0] != 0:
                self.finish_switch(source, target)
        self._switch_submodules(source, target)

    def _switch_submodules(self, source: str, target: str) -> None:
        if not (self._cwd() / ".gitmodules").exists():
            return
        raw = names_in(self._compared("--raw", "-z", "--no-abbrev", *DIFF, source, target))
        for about, path in zip(raw[::2], raw[1::2]):
            fields = about.split(" ")
            if fields[1] == "160000":
                self.check_out_submodule(path, fields[3])

    def check_out_submodule(self, path: str, commit: str) -> None:
        """A submodule at a commit, on no branch: what it had stays in its own history."""
        inner = Repo(self._cwd() / path)
        if (inner.root / ".git").exists() and inner.exists(commit) and (before := inner.head()) != commit:
            gitcall.call(inner.root, ["checkout", "-q", "--detach", commit])
            inner._switch_submodules(before, commit)

    def finish_switch(self, source: str, target: str, *others: str) -> None:
        """Complete a switch that was killed half-way: each path must hold the content of one of these commits.

        `others` differ from `source` only where `target` does.
        """
        paths = self.changed_paths(source, target)
        left = self.edited(source, target, *others)
        absent = set(self._listed(target, paths)) ^ set(paths)
        if left:
            raise GitError(f"changed since the trial's commit: {sorted(left)[0]!r}")
        self._restore(target, [p for p in paths if p not in absent])
        self._drop(sorted(absent))

    def edited(self, source: str, target: str, *others: str) -> set[str]:
        """The paths which differ between the first two of these commits and hold the content of none of them."""
        with self._index(source, self.changed_paths(source, target)) as env:
            return set.intersection(*(self._differing(commit, env) for commit in (source, target, *others)))

    def unlike(self, commit: str, paths: Sequence[str]) -> set[str]:
        """Those of these files whose content in the tree is not the commit's."""
        with self._index(commit, paths) as env:
            return self._differing(commit, env) & set(paths)

    def move_head(self, new: str, old: str, why: str) -> None:
        """Move HEAD's branch, provided that it is still at `old`."""
        self._move(new, old, why)

    def move_ref(self, ref: str, new: str, old: str) -> None:
        """Move a branch that is not checked out, provided that it is still at `old`."""
        self._write(["update-ref", "-m", "autoresearch: undo", ref, new, old])

    def _differing(self, commit: str, env: dict[str, str]) -> set[str]:
        args = ["diff-index", "--cached", "--name-only", "-z", "--no-renames", commit]
        return set(names_in(self._write(args, env=env)))

    def _listed(self, commit: str, paths: Sequence[str]) -> tuple[str, ...]:
        wanted = set(paths)
        listed = names_in(self._read("ls-tree", "-r", "--name-only", "-z", commit))
        return tuple(p for p in listed if p in wanted)

    def _drop(self, paths: Sequence[str]) -> None:
        """Remove these paths from the index and, where present, from the working tree."""
        self._write(["update-index", "--force-remove", "-z", "--stdin"], _joined(paths))
        for path in paths:
            full = self._cwd() / path
            if full.is_symlink() or full.is_file():
                full.unlink()

    def restore(self, paths: Sequence[str]) -> None:
        """Bring these tracked paths back to HEAD's content, in the index and on disk."""
        self._restore("HEAD", paths)

    def _restore(self, commit: str, paths: Sequence[str]) -> None:
        if paths:
            self._write(["restore", "--source=" + commit, "--staged", "--worktree", *_PATHS], _joined(paths))

    def worktree_patch(self, paths: Sequence[str], limit: int) -> bytes:
        """The uncommitted change of these paths, untracked ones included, cut at `limit` bytes."""
        if not paths:
            return b""
        head = self.head()
        with self._index(head, paths) as env:
            args = ["diff-index", "--cached", *PATCH, head or self._empty_tree()]
            return self._limited(args, env, limit)

    def exclude(self, patterns: Sequence[str]) -> None:
        """Hide these patterns in this clone only (info/exclude); quiet where that is read-only or no repository."""
        if self.is_git():  # a sandbox may put an empty folder of that name where there is none
            gitfiles.add_excludes(self.common_dir(), patterns)

    def remove_worktree(self, path: Path) -> None:
        """Remove a linked worktree with all it holds, also one that git takes for none any more; one that is gone is
        forgotten. Of a link in its place the link goes alone."""
        if gitcall.attempt(self._cwd(), ["worktree", "remove", "--force", "--force", str(path)])[0]:
            import shutil

            shutil.rmtree(path, ignore_errors=True)
            _remove(path)
            self._write(["worktree", "prune"])

    @contextmanager
    def _index(self, commit: str, paths: Sequence[str]) -> Iterator[dict[str, str]]:
        """The environment of a temporary index: `commit`'s tree with the working-tree state of `paths`."""
        odd = next((p for p in paths if p.endswith("/")), None)
        if odd is not None:
            raise GitError(f"an embedded git repository cannot be part of a trial: {odd!r}")
        self.sweep_indexes()
        path = self.git_dir() / f"autoresearch-{owners.mine()}.index"
        env = {"GIT_INDEX_FILE": str(path)}
        try:
            self._write(["read-tree", commit or "--empty"], env=env)
            self._take(paths, env)
            yield env
        finally:
            _remove(path)

    def sweep_indexes(self) -> None:
        """Remove temporary indexes whose process was killed."""
        folder = self.git_dir()
        names = os.listdir(folder) if folder.is_dir() else []  # what is wrong with it, git says
        for path in (folder / name for name in names if name.startswith("autoresearch-") and ".index" in name):
            if owners.gone(path.name.split("-")[1].split(".")[0], path):
                _remove(path.with_suffix(".index") if path.suffix == ".lock" else path)

    def _take(self, paths: Sequence[str], env: dict[str, str] | None = None) -> None:
        """The working tree's state of these paths into the index."""
        # A file whose folder has become a link is gone, but update-index refuses to look beyond the link.
        # Nor does it take a folder where it expects a file.
        gone = {path for path in paths if _beyond_link(self._cwd(), path) or _is_plain_folder(self._cwd() / path)}
        self._write(_UPDATE, _joined([path for path in paths if path not in gone]), env)
        if gone:
            self._write(["update-index", "--force-remove", "-z", "--stdin"], _joined(sorted(gone)), env)

    def _empty_tree(self) -> str:
        return text_in(self._write(["hash-object", "-t", "tree", "--stdin"]))

    def _move(self, new: str, old: str, why: str) -> None:
        """Move HEAD's branch (or a detached HEAD) to `new`, provided it is still at `old`."""
        self._write(["update-ref", "-m", "autoresearch: " + why, "HEAD", new, old])

    def _write(self, args: Sequence[str], stdin: bytes = b"", env: dict[str, str] | None = None) -> bytes:
        return gitcall.call(self._cwd(), args, stdin, env or {})


def _beyond_link(top: Path, path: str) -> bool:
    """True when a folder on the way from `top` to `path` is a symbolic link."""
    return any((top / folder).is_symlink() for folder in list(Path(path).parents)[:-1])


def _is_plain_folder(path: Path) -> bool:
    """True for a folder that is no link and no repository of its own."""
    return path.is_dir() and not path.is_symlink() and not os.path.lexists(path / ".git")


def _joined(paths: Sequence[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in paths)


def _remove(index: Path) -> None:
    for path in (index, index.with_name(index.name + ".lock")):
        try:
            path.unlink()
        except OSError:
            pass  # it never came to be, or the folder is read-only: git has said so then
