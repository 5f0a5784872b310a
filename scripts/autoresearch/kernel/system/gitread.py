"""Questions to a repository; nothing here writes to it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from ..core.frozen import dataclass
from . import gitcall, gitfiles
from .gitcall import GitError

_TRAILER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*): (.*)")
_BUSY = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply", "BISECT_LOG")
DIFF = ("-r", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color")
PATCH = (*DIFF, "-p", "--binary", "--full-index")

# Answers on two commits, which one trial asks for several times.
_ANSWERS: dict[tuple[str, ...], bytes] = {}
_SHORT, _KEPT = 1 << 16, 8  # bytes of an answer, answers


@dataclass(frozen=True)
class Change:
    """One path whose index or working-tree content differs from HEAD."""

    path: str  # relative to the top, POSIX; an untracked embedded repository ends in "/"
    code: (
        str  # M modified, A added to the index, D deleted, ? untracked, U unmerged, S a submodule dirty inside or gone
    )
    staged: bool  # the index differs from HEAD


class Reader:
    """A repository that is only read. `root` should be the top of its working tree.

    Paths in and out are relative to that top. Methods raise GitError when git fails.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._top = gitfiles.find_top(self.root.absolute())

    def is_git(self) -> bool:
        """True inside a git working tree."""
        return self._top is not None

    def git_dir(self) -> Path:
        """This working tree's own git folder."""
        if self._top is None:
            raise GitError(f"not a git repository: {self.root}")
        return gitfiles.git_dir(self._top)

    def common_dir(self) -> Path:
        """The git folder shared by all linked worktrees."""
        return gitfiles.common_dir(self.git_dir())

    def is_linked_worktree(self) -> bool:
        """True when the git folder belongs to another working tree."""
        return self.common_dir() != self.git_dir()

    def linked_worktrees(self) -> tuple[str, ...]:
        """The folders of the linked working trees that git remembers, without asking it."""
        folder = self.common_dir() / "worktrees"
        files = [folder / name / "gitdir" for name in sorted(os.listdir(folder))] if folder.is_dir() else []
        return tuple(text[: -len("/.git")] for text in (gitfiles.text_of(file).strip() for file in files) if text)

    def busy(self) -> tuple[str, ...]:
        """What a merge, rebase or the like that is not finished left."""
        return tuple(name for name in _BUSY if (self.git_dir() / name).exists())

    def head(self) -> str:
        """Full id of HEAD's commit, "" before the first one."""
        folder = self.git_dir()
        found = gitfiles.read_head(folder, gitfiles.common_dir(folder))
        return found or self._resolve("HEAD^{commit}")

    def branch(self) -> str:
        """The current branch, "" when HEAD is detached."""
        text = gitfiles.head_ref(self.git_dir())
        if text:
            return text[len("ref: refs/heads/") :] if text.startswith("ref: refs/heads/") else ""
        code, out, _ = gitcall.attempt(self._cwd(), ["symbolic-ref", "-q", "--short", "HEAD"])
        return text_in(out) if code == 0 else ""

    def short(self, commit: str) -> str:
        """The abbreviated id of a commit."""
        return text_in(self._read("rev-parse", "--verify", "--short", "--end-of-options", commit))

    def exists(self, commit: str) -> bool:
        """True when `commit` names a commit that is here."""
        return self._resolve(commit + "^{commit}") != ""

    def parent(self, commit: str) -> str:
        """Full id of the first parent, "" for a root commit."""
        return self._resolve(commit + "^1")

    def default_branch(self) -> str:
        """Where work is merged: origin/HEAD's, else main, master, init.defaultBranch; "" if none exists."""
        wanted_refs = ("refs/remotes/origin/HEAD", "refs/heads/")
        out = self._read("for-each-ref", "--format=%(refname)%00%(symref)", *wanted_refs)
        refs = dict(line.split("\0") for line in text_in(out).split("\n") if line)
        remote = refs.get("refs/remotes/origin/HEAD", "")
        if remote:
            return remote[len("refs/remotes/origin/") :]
        wanted = ("main", "master", self._setting("init.defaultBranch"))
        return next((name for name in wanted if "refs/heads/" + name in refs), "")

    def trailers(self, commit: str) -> dict[str, str]:
        """The `Key: value` lines of the message's last paragraph."""
        raw = self._read("cat-file", "commit", commit).decode("utf-8", "replace")
        message = raw.partition("\n\n")[2].strip()
        matches = (_TRAILER.fullmatch(line) for line in message.split("\n\n")[-1].split("\n"))
        return {m.group(1): m.group(2) for m in matches if m}

    def subject(self, commit: str) -> str:
        """The first line of a commit's message."""
        raw = self._read("cat-file", "commit", commit).decode("utf-8", "replace")
        return raw.partition("\n\n")[2].partition("\n")[0].strip()

    def changes(self) -> tuple[Change, ...]:
        """Every path that differs from HEAD, ignored files left out; both ends of a rename count."""
        return _changes(self._status("all"))

    def changes_and_ignored(self) -> tuple[tuple[Change, ...], tuple[str, ...]]:
        """`changes` and, by the same call of git, the ignored paths; a folder that a rule names ends in "/"."""
        found = self._status("all", "--ignored=matching")
        ignored = tuple(entry[2:] for entry in found if entry.startswith("! "))
        return _changes([entry for entry in found if not entry.startswith("! ")]), ignored

    def untracked_roots(self) -> tuple[str, ...]:
        """Untracked paths, a wholly untracked folder as one entry ending in "/"."""
        return tuple(entry[2:] for entry in self._status("normal") if entry.startswith("? "))

    def commit_at(self, ref: str) -> str:
        """Full id of the commit that a reference names, "" when there is none."""
        return self._resolve(ref + "^{commit}")

    def changed_paths(self, base: str, commit: str) -> tuple[str, ...]:
        """Paths whose content or mode differs between two commits, both ends of a rename."""
        return names_in(self._compared("--name-only", "-z", *DIFF, base, commit))

    def patch(self, base: str, commit: str, limit: int) -> bytes:
        """The binary-safe patch from `base` to `commit`, cut at `limit` bytes with a note."""
        args = ["diff-tree", *PATCH, base, commit]
        return self._once((str(limit), *args), lambda: self._limited(args, {}, limit))

    def tree_of(self, commit: str) -> str:
        """The id of a commit's tree."""
        found = gitfiles.loose_tree(self.common_dir(), commit)
        return found or text_in(self._read("rev-parse", "--verify", "--end-of-options", commit + "^{tree}"))

    def blob_ids(self, paths: Sequence[str]) -> dict[str, str]:
        """The blob id in the index of each of these paths that is tracked."""
        entries = names_in(self._read("ls-files", "-s", "-z", "--", *paths)) if paths else ()
        return {entry.partition("\t")[2]: entry.split(" ")[1] for entry in entries}

    def tracked(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """Tracked paths that match any pattern: `*` within a folder, `**` across, a folder for all in it."""
        globs = {"GIT_LITERAL_PATHSPECS": "0", "GIT_GLOB_PATHSPECS": "1"}
        out = gitcall.call(self._cwd(), ["ls-files", "-z", "--", *patterns], env=globs) if patterns else b""
        return tuple(dict.fromkeys(names_in(out)))

    def _cwd(self) -> Path:
        return self._top or self.root

    def _read(self, *args: str) -> bytes:
        return gitcall.call(self._cwd(), args, env={"GIT_OPTIONAL_LOCKS": "0"})

    def _compared(self, *args: str) -> bytes:
        """What `git diff-tree` tells of the two objects that are named last."""
        return self._once(args, lambda: self._read("diff-tree", *args))

    def _once(self, asked: tuple[str, ...], ask: Callable[[], bytes]) -> bytes:
        """A short answer on objects is kept where whole ids name them, the last two: such objects never change."""
        key = (str(self._cwd()), *asked)
        if key in _ANSWERS:
            return _ANSWERS[key]
        out = ask()
        if all(map(gitfiles.is_id, asked[-2:])) and len(out) <= _SHORT:
            while len(_ANSWERS) >= _KEPT:
                del _ANSWERS[next(iter(_ANSWERS))]
            _ANSWERS[key] = out
        return out

    def _resolve(self, name: str) -> str:
        code, out, _ = gitcall.attempt(self._cwd(), ["rev-parse", "-q", "--verify", "--end-of-options", name])
        return text_in(out) if code == 0 else ""

    def _settings(self, key: str) -> list[str]:
        """All values the user gave a setting; our own, given on the command line, is left out."""
        _, out, _ = gitcall.attempt(self._cwd(), ["config", "--show-scope", "-z", "--get-all", key])
        fields = names_in(out)
        return [value for scope, value in zip(fields[::2], fields[1::2]) if scope != "command"]

    def _setting(self, key: str) -> str:
        return (self._settings(key) or [""])[-1]

    def _status(self, untracked: str, *more: str) -> tuple[str, ...]:
        return names_in(
            self._read(
                "status",
                "--porcelain=v2",
                "-z",
                "--no-renames",
                "--ignore-submodules=untracked",
                "--untracked-files=" + untracked,
                *more,
            )
        )

    def _limited(self, args: Sequence[str], env: dict[str, str], limit: int) -> bytes:
        """At most `limit` bytes of git's output, read no further than that."""
        with gitcall.started(self._cwd(), args, env) as git:
            assert git.stdin is not None and git.stdout is not None and git.stderr is not None
            git.stdin.close()
            out = git.stdout.read(limit + 1)
            if len(out) > limit:
                git.kill()
                return out[:limit] + b"\n[patch cut at %d bytes]\n" % limit
            err = git.stderr.read()
        if git.returncode != 0:
            raise gitcall.error(err)
        return out


def text_in(out: bytes) -> str:
    """Git's output as text without its last line ends."""
    return os.fsdecode(out).rstrip("\n")


def names_in(out: bytes) -> tuple[str, ...]:
    """NUL-terminated names as text; bytes that are no UTF-8 survive the way back."""
    return tuple(os.fsdecode(name) for name in out.split(b"\0") if name)


def _changes(entries: Sequence[str]) -> tuple[Change, ...]:
    found: dict[str, Change] = {}
    for entry in entries:
        change = _change(entry)
        if change.path in found:  # removed from the index, still in the tree: two lines of status
            change = Change(change.path, "M", True)
        found[change.path] = change
    return tuple(found.values())


def _change(entry: str) -> Change:
    """One line of `git status --porcelain=v2 -z`."""
    kind = entry[0]
    if kind == "?":
        return Change(entry[2:], "?", False)
    if kind == "u":
        return Change(entry.split(" ", 10)[10], "U", True)
    index, tree = entry[2], entry[3]
    head, _, found = entry.split(" ", 6)[3:6]
    if (entry[5] == "S" and entry[7] == "M") or (head == "160000" != found):
        return Change(entry.split(" ", 8)[8], "S", index != ".")
    code = "D" if "D" in (index, tree) else "A" if "A" in (index, tree) else "M"
    return Change(entry.split(" ", 8)[8], code, index != ".")
