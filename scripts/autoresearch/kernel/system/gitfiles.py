"""What can be read from a repository's own files without starting git."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..core import artifacts
from . import owners

_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def find_top(start: Path) -> Path | None:
    """The nearest folder at or above `start` that has a `.git`; None outside git."""
    for folder in (start, *start.parents):
        if os.path.lexists(folder / ".git" / "HEAD") or (folder / ".git").is_file():
            return folder
    return None


def git_dir(top: Path) -> Path:
    """The git folder of the working tree `top`, through the `.git` file of a linked worktree or submodule."""
    dot = top / ".git"
    if dot.is_dir():
        return dot
    text = text_of(dot).strip()
    if not text.startswith("gitdir: ") or "\0" in text:
        return dot  # nothing can be read below a file: git is asked, and says what is wrong
    return Path(os.path.normpath(top / text[len("gitdir: ") :]))


def common_dir(folder: Path) -> Path:
    """The git folder shared by all worktrees of the one whose git folder is `folder`."""
    text = text_of(folder / "commondir").strip()
    return Path(os.path.normpath(folder / text)) if text else folder


def head_ref(folder: Path) -> str:
    """HEAD's text: `ref: refs/heads/x` or a commit; "" when unreadable (or kept elsewhere: reftable)."""
    text = text_of(folder / "HEAD").strip()
    return "" if text.endswith("/.invalid") else text


def read_head(folder: Path, common: Path) -> str:
    """HEAD's full commit; "" when plain files do not tell, and git has to be asked."""
    text = head_ref(folder)
    if _OID.fullmatch(text):
        return text
    name = text[len("ref: ") :]
    if not name.startswith("refs/heads/"):
        return ""
    return _loose(common / name) or _packed(common, name)


def is_id(text: str) -> bool:
    """Whether this is the whole id of an object."""
    return _OID.fullmatch(text) is not None


def loose_tree(common: Path, commit: str) -> str:
    """The tree of a commit that lies in a file of its own; "" where it does not, and git has to be asked."""
    import zlib

    path = common / "objects" / commit[:2] / commit[2:]
    if not is_id(commit) or not path.is_file() or (common / "refs" / "replace").exists():
        return ""
    try:
        head = zlib.decompressobj().decompress(path.read_bytes(), 200)
    except (OSError, zlib.error):
        return ""
    match = re.match(rb"commit [0-9]+\0tree ([0-9a-f]{40,64})\n", head)
    return match[1].decode() if match else ""


def _loose(path: Path) -> str:
    text = text_of(path).strip()
    return text if _OID.fullmatch(text) else ""


def _packed(common: Path, name: str) -> str:
    lines = text_of(common / "packed-refs").split("\n")
    found = [line.split(" ", 1)[0] for line in lines if line.endswith(" " + name)]
    return found[0] if found and _OID.fullmatch(found[0]) else ""


def hide(*paths: Path) -> None:
    """Hide artifacts, given by absolute path, from `git status` in the repository that holds each.

    A name of the user's own choice is hidden beside the usual ones, with its archives; quiet outside git.
    """
    for top, path in {(find_top(path.parent), path) for path in paths}:
        if top is not None:
            here = path.relative_to(top)
            folder = f"/{here.parent.as_posix()}/".replace("/./", "/")
            own = () if artifacts.is_owned(here.name) else (here.name, f"{here.name}.*", f"{here.stem}.prev*")
            add_excludes(common_dir(git_dir(top)), [folder + n.lstrip("/") for n in (*artifacts.EXCLUDE, *own)])


def text_of(path: Path) -> str:
    """A text file of git's, "" when there is none that can be read; a pipe in its place is not waited for."""
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape") if path.is_file() else ""
    except OSError:
        return ""


@contextmanager
def scratch(folder: Path, name: str) -> Iterator[Path]:
    """An empty folder of this process in a git folder, gone after the block; those of killed ones go first."""
    import shutil

    for old in folder.glob(f"autoresearch-*.{name}"):
        if owners.gone(old.name.split("-")[1].split(".")[0], old):
            shutil.rmtree(old, ignore_errors=True)
    made = (folder / f"autoresearch-{owners.mine()}.{name}").absolute()
    try:
        made.mkdir(parents=True, exist_ok=True)
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def add_excludes(common: Path, patterns: Sequence[str]) -> None:
    """Append the missing lines to info/exclude; where it cannot be written, do nothing."""
    path = common / "info" / "exclude"
    try:
        old = path.read_bytes() if path.is_file() else b""
        lines = old.split(b"\n")
        missing = [p for p in dict.fromkeys(patterns) if os.fsencode(p) not in lines]
        if not missing or (path.exists() and not path.is_file()):
            return
        path.parent.mkdir(exist_ok=True)
        gap = "" if not old or old.endswith(b"\n") else "\n"
        with path.open("ab") as file:
            file.write(os.fsencode(gap + "".join(p + "\n" for p in missing)))
    except OSError:
        return
