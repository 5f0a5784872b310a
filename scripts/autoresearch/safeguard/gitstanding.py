"""What makes a folder a working repository, remembered while a check runs: HEAD, its branch, the settings that move
the working tree or say how to read it, what stands for another object, and which files git was told not to look at."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from ..kernel.core.frozen import dataclass
from ..kernel.disk import atomic
from ..kernel.system import gitcall, gitfiles
from ..kernel.system.gitcall import GitError
from ..kernel.system.gitread import Reader, names_in
from . import keepsake

_PLACE = r"^(core\.(bare|worktree|sparsecheckout|repositoryformatversion)|extensions\..*)$"
_HEAD = re.compile(r"ref: \S|[0-9a-f]{40}")
# One call sets one flag alone.
_FLAGS = ("--no-assume-unchanged", "--no-skip-worktree")


@dataclass(frozen=True)
class Standing:
    """A repository before a check: `index` is the content of its index, None without one."""

    tree: Path
    folder: Path
    head: str
    commit: str
    settings: Mapping[Path, bytes | None]
    index: bytes | None
    replaced: frozenset[str]  # objects for which others stand (git replace)


def of(tree: Path) -> Standing | None:
    """How the repository of a checkout stands; None outside git."""
    repo = Reader(tree)
    if not repo.is_git():
        return None
    folder = repo.git_dir()
    common = gitfiles.common_dir(folder)
    head, index = gitfiles.head_ref(folder), _bytes(folder / "index")
    settings = {path: _bytes(path) for path in (common / "config", folder / "config.worktree")}
    commit = gitfiles.read_head(folder, common)
    return Standing(tree, folder, head, commit, settings, index, _replaced(common))


def put_back(known: Standing) -> tuple[str, ...]:
    """Mend what stops the repository from working, or hides files from it; what it was, in the words of git."""
    if not known.folder.is_dir():
        return ()  # all is gone, and git says so
    common = gitfiles.common_dir(known.folder)
    found = ["HEAD"] if _head(known) else []
    found += ["refs"] if _branch(known, common) else []
    found += [path.name for path, before in known.settings.items() if _setting(path, before)]
    found += ["refs/replace"] if _shown_again(known, common) else []
    return (*found, *_index(known))


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError:
        return None


def _head(known: Standing) -> bool:
    """HEAD that is gone or names nothing, such as a branch without a commit where it had one.

    One that names another branch is the user's, who switched meanwhile.
    """
    now = gitfiles.head_ref(known.folder)
    common = gitfiles.common_dir(known.folder)
    stands = now == known.head or not known.commit or gitfiles.read_head(known.folder, common)
    if not known.head or (_HEAD.match(now) and stands):
        return False
    return keepsake.write(known.folder / "HEAD", known.head.encode() + b"\n")


def _branch(known: Standing, common: Path) -> bool:
    """The branch of HEAD without any commit; one that was renamed takes HEAD with it."""
    (common / "refs").mkdir(exist_ok=True)
    if not known.commit or gitfiles.head_ref(known.folder) != known.head or Reader(known.tree).head():
        return False
    gitcall.call(known.tree, ["update-ref", known.head[len("ref: ") :], known.commit])
    return True


def _setting(path: Path, before: bytes | None) -> bool:
    """Settings that are gone, broken, or say that the working tree is none, elsewhere or a part."""
    now = _bytes(path)
    if (now == before and not path.is_dir()) or (now is not None and _placed(now) == _placed(before or b"")):
        return False
    if before is not None:
        return keepsake.write(path, before)
    path.unlink() if now is not None else atomic.set_aside(path)
    return True


def _placed(config: bytes) -> tuple[bool, bytes]:
    code, out, _ = gitcall.attempt(Path("/"), ["config", "--file", "-", "-z", "--get-regexp", _PLACE], config)
    return code in (0, 1), out


def _replaced(common: Path) -> frozenset[str]:
    """The loose ones and the packed ones."""
    folder, packed = common / "refs" / "replace", gitfiles.text_of(common / "packed-refs")
    loose = os.listdir(folder) if folder.is_dir() else []
    return frozenset((*loose, *re.findall(r" refs/replace/(\S+)", packed)))


def _shown_again(known: Standing, common: Path) -> bool:
    """Objects for which others stand since."""
    new = sorted(_replaced(common) - known.replaced)
    for name in new:
        gitcall.call(known.tree, ["update-ref", "-d", f"refs/replace/{name}"])
    return bool(new)


def _index(known: Standing) -> tuple[str, ...]:
    """An index that cannot be read, and files that git was told since not to look at: it looks again."""
    path = known.folder / "index"
    now = _bytes(path)
    if known.index is None or now == known.index:
        return ()
    if now is None:  # one that is missing is a file of the run
        return ("index",) if os.path.lexists(path) and keepsake.write(path, known.index) else ()
    with gitfiles.scratch(known.folder, "standing") as place:
        (place / "index").write_bytes(known.index)
        before = _flagged(known.tree, str(place / "index"))
    try:
        new = sorted(_flagged(known.tree) - before)
    except GitError:
        path.write_bytes(known.index)
        return ("index",)
    for flag in _FLAGS if new else ():
        paths = "".join(name + "\0" for name in new)
        gitcall.call(known.tree, ["update-index", flag, "-z", "--stdin"], os.fsencode(paths))
    return tuple(f"the flags of {name}" for name in new)


def _flagged(tree: Path, index: str = "") -> set[str]:
    out = gitcall.call(tree, ["ls-files", "-z", "-v"], env={"GIT_INDEX_FILE": index} if index else {})
    return {entry[2:] for entry in names_in(out) if entry[0].islower() or entry[0] == "S"}
