"""Everything by which a repository can make git run a program, as digests."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..kernel.system.gitread import Reader

_CONTROL = (
    "config",
    "config.worktree",
    "info/attributes",
    "info/sparse-checkout",
    "info/grafts",
    "objects/info/alternates",
    "commondir",
    "gitdir",
)
_CONTROL_FOLDERS = ("hooks", "remotes", "branches")


class Controlled(Reader):
    """A repository that a sandboxed session may have changed."""

    def control_fingerprint(self) -> dict[str, str]:
        """Digest of every hook, config and attribute file by which git can be made to run something."""
        configured = [self._cwd() / os.path.expanduser(p) for p in self._settings("core.hooksPath")]
        folders = list(dict.fromkeys((self.common_dir(), self.git_dir())))
        return control_files(folders, configured)


def control_files(folders: Sequence[Path], hooks: Sequence[Path]) -> dict[str, str]:
    """Digest of each file through which a repository can make git run or redirect something.

    Keys are paths, values are sha256 of content and executable bit. `folders` are git folders
    (their submodules' git folders are followed), `hooks` further folders of hooks.
    """
    roots = [found for folder in folders for found in (folder, *_modules(folder / "modules"))]
    paths = [root / name for root in roots for name in _CONTROL]
    for folder in [root / name for root in roots for name in _CONTROL_FOLDERS] + list(hooks):
        paths += sorted(p for p in folder.glob("*") if p.suffix != ".sample")
    return {str(path): _digest(path) for path in dict.fromkeys(paths) if path.is_file()}


def _modules(folder: Path) -> Iterator[Path]:
    """Git folders of submodules, nested ones too; names may hold slashes."""
    for child in sorted(folder.glob("*/")):
        if (child / "HEAD").is_file():
            yield child
            yield from _modules(child / "modules")
        elif child.is_dir():
            yield from _modules(child)


def _digest(path: Path) -> str:
    import hashlib

    try:
        mode = b"x" if os.access(path, os.X_OK) else b"-"
        return hashlib.sha256(mode + path.read_bytes()).hexdigest()
    except OSError:
        return "unreadable"
