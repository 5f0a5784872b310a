"""A branch or worktree for one run, with what a fresh checkout lacks."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from ..kernel.core.text import one_line
from ..kernel.disk.layout import POINTER
from ..kernel.run.branches import PREFIX, explained
from ..kernel.system import process
from ..kernel.system.git import GitError, Repo
from ..kernel.system.gitread import text_in

SETUP_LIMIT = 3600.0  # seconds that preparing a worktree may take


class Branches(Repo):
    """A repository in which a run gets a branch of its own."""

    def start_branch(self, name: str) -> None:
        """A new branch at HEAD, checked out: no file is touched. Raises GitError when it exists."""
        self._write(["branch", "--no-track", "--", name, self.head()])
        self._write(["symbolic-ref", "-m", "autoresearch: start", "HEAD", "refs/heads/" + name])

    def drop_branch(self, name: str, back: str) -> None:
        """From `name`, which has nothing of its own, back to the branch `back`; no file is touched."""
        self._write(["symbolic-ref", "-m", "autoresearch: take back", "HEAD", "refs/heads/" + back])
        self.forget_branch(name)

    def forget_branch(self, name: str) -> None:
        """Remove a branch, whatever it holds."""
        self._write(["branch", "-q", "-D", "--", name])

    def add_worktree(self, path: Path, branch: str, at: str) -> None:
        """A linked worktree on `branch`, which is made at `at` unless it exists."""
        known = self._resolve("refs/heads/" + branch)
        make = [str(path), branch] if known else ["--no-track", "-b", branch, str(path), at]
        self._write(["worktree", "add", "-q", *make])

    def own_branches(self) -> list[str]:
        """The local branches that runs have made."""
        return text_in(self._read("for-each-ref", "--format=%(refname:short)", f"refs/heads/{PREFIX}")).split()


@dataclass(frozen=True)
class IsolationRequest:
    """How a run is kept apart: `none`, `branch` or `worktree`, its tag, and what a fresh checkout lacks."""

    kind: str
    tag: str
    setup: str = ""
    links: tuple[str, ...] = ()


@contextmanager
def prepared(root: Path, wish: IsolationRequest) -> Iterator[str]:
    """Make the branch or worktree for a run; the worktree's path, or "". Taken back when the block raises.

    A branch of that name which is checked out already, say with a check committed on it, is the run's as it is.
    """
    branch = PREFIX + wish.tag
    repo, before = Branches(root), Repo(root).branch() if wish.kind != "none" else ""
    if wish.kind == "none" or (wish.kind == "branch" and before == branch):
        yield ""
        return
    _refuse_unready(repo, branch, wish)
    try:
        made = _worktree(repo, branch, wish) if wish.kind == "worktree" else _branch(repo, branch)
    except GitError as error:
        raise explained(error, root) from None
    try:
        if made:
            furnish(root, Path(made), wish)
        yield made
    except BaseException:
        _take_back(repo, branch, made, before)
        raise


def worktree_path(root: Path, tag: str) -> Path:
    """Where the worktree of a run lies: beside the repository, never in a temporary folder."""
    return root.parent / f"{root.name}-autoresearch-{tag}"


def _refuse_unready(repo: Branches, branch: str, wish: IsolationRequest) -> None:
    if not repo.is_git() or not repo.head():
        raise Refusal(f"isolation {wish.kind} needs a git repository with a commit; commit first, or --isolation none")
    if repo.exists(f"refs/heads/{branch}"):
        raise Refusal(f"branch {branch} exists, expected a new one or to be on it; choose another --run-tag")
    path = worktree_path(repo.root, wish.tag)
    if wish.kind == "worktree" and os.path.lexists(path):
        raise Refusal(f"{path} exists, expected to make it; git worktree remove it, or choose another --run-tag")
    if wish.kind == "branch" and not repo.branch():
        raise Refusal("HEAD is detached, expected a branch to come back to; check one out, or --isolation worktree")
    for link in wish.links:
        target = Path(os.path.realpath(repo.root / link))
        if os.path.isabs(link) or not target.exists() or Path(os.path.realpath(repo.root)) not in target.parents:
            raise Refusal(f"--link {one_line(link, 80)} is not there, expected a path inside the repository")


def _branch(repo: Branches, branch: str) -> str:
    repo.start_branch(branch)
    return ""


def _worktree(repo: Branches, branch: str, wish: IsolationRequest) -> str:
    path = worktree_path(repo.root, wish.tag)
    repo.add_worktree(path, branch, repo.head())
    (Repo(path).git_dir() / POINTER).write_text(f"{repo.root}\n", "utf-8")
    return str(path)


def furnish(root: Path, made: Path, wish: IsolationRequest) -> None:
    """Link and set up what a checkout lacks; raises `Refusal` when that fails."""
    for link in wish.links:
        place = made / link
        if os.path.lexists(place):
            raise Refusal(f"--link {link} is part of the checkout, expected something git does not hold; leave it out")
        place.parent.mkdir(parents=True, exist_ok=True)
        _link(Path(os.path.realpath(root / link)), place, Path(os.path.realpath(root)), made)
    # A pattern for a folder (`node_modules/`) does not match a link to one.
    Repo(root).exclude([f"/{link.strip('/')}" for link in wish.links])
    if wish.setup:
        done = process.run_shell(wish.setup, made, SETUP_LIMIT, {}, f"setup-{os.getpid()}-{time.time_ns()}")
        if done.exit_code != 0 or done.timed_out:
            said = one_line((done.stderr or done.stdout)[-600:].decode("utf-8", "replace"), 400)
            raise Refusal(f"--setup failed ({_how(done)}): {said}; correct the command and launch again")


def _link(source: Path, place: Path, root: Path, made: Path) -> None:
    """A link to `source`; where links in it lead to packages of the checkout, a folder whose links lead to `made`'s."""
    if not (source.is_dir() and any(_package(path, source, root) for path in _within(source))):
        place.symlink_to(source)
        return
    place.mkdir()
    for path in source.iterdir():
        package = _package(path, source, root)
        if package:
            (place / path.name).symlink_to(made / package)
        elif path.is_symlink():
            (place / path.name).symlink_to(os.path.realpath(path))
        else:
            _link(path, place / path.name, root, made)


def _within(folder: Path) -> Iterator[Path]:
    """The entries of a folder, and those of its folders of scoped packages (`@name`)."""
    for path in folder.iterdir():
        yield path
        if path.name.startswith("@") and path.is_dir() and not path.is_symlink():
            yield from path.iterdir()


def _package(path: Path, source: Path, root: Path) -> str:
    """Where a link in a linked folder leads within the checkout, "" for what stays within the folder or leaves it.

    What lies in another `node_modules` (as pnpm has it) is a dependency, no package of the checkout.
    """
    target = Path(os.path.realpath(path))
    inside = path.is_symlink() and target.is_relative_to(root) and not target.is_relative_to(source)
    name = target.relative_to(root) if inside else Path()
    return "" if "node_modules" in name.parts or name == Path() else name.as_posix()


def _how(done: process.Finished) -> str:
    if done.timed_out:
        return f"not done after {SETUP_LIMIT:.0f} s"
    return f"exit code {done.exit_code}" if done.exit_code is not None else f"signal {done.signal}"


def _take_back(repo: Branches, branch: str, made: str, before: str) -> None:
    try:
        if made:
            repo.remove_worktree(Path(made))
            repo.forget_branch(branch)
        else:
            repo.drop_branch(branch, before)
    except GitError:
        pass  # what failed first is what the user has to know
