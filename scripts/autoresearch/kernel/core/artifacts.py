"""Which repository paths belong to the tool: never committed, never staged, never counted as a change."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

_OWNED = re.compile(
    r"(?:research-results(?:\.[\w-]+)*\.(?:tsv|bak|tmp)"
    r"|autoresearch-(?:state|launch|runtime)(?:\.[\w-]+)*\.(?:json|log|bak|tmp)"
    r"|autoresearch-(?:lessons|ideas)(?:\.[\w-]+)*\.(?:md|bak|tmp)"
    r"|(?:autoresearch-evidence(?:\.[\w-]+)*|autoresearch-scratch-[\w-]*|codex-autoresearch-(?:exec|\d+))(?:/.*)?"
    r"|(?:debug|fix|security|ship)/\d{6}-\d{4}-[^/]*(?:/.*)?)",
    re.DOTALL,
)
# The same for git's exclude file, which knows no regular expressions.
EXCLUDE = (
    *(f"/research-results*.{ending}" for ending in ("tsv", "bak", "tmp")),
    *(f"/autoresearch-{name}*" for name in ("state", "launch", "runtime", "lessons", "ideas", "evidence")),
    *(f"/{mode}/{'[0-9]' * 6}-{'[0-9]' * 4}-*/" for mode in ("debug", "fix", "security", "ship")),
)


def is_owned(path: str, untracked: bool = False) -> bool:
    """Whether a repository-relative POSIX path is an artifact of the tool or one of its variants.

    `untracked` ones are so in subfolders too, where older runs or a temporary folder left them.
    """
    path = path.rstrip("/")
    if _OWNED.fullmatch(path):
        return True
    return untracked and any(_OWNED.fullmatch(path, at.end()) for at in re.finditer("/", path))


def foreign(
    paths: Iterable[str], skill: str, extra: Iterable[str] = (), untracked: Collection[str] = ()
) -> tuple[str, ...]:
    """The paths that are neither artifacts nor below `skill` (the bundle's own folder, "" when it lies elsewhere)."""
    own = frozenset(extra)
    return tuple(p for p in paths if not (is_owned(p, p in untracked) or p in own or _below(p, skill)))


def _below(path: str, folder: str) -> bool:
    # A folder that git reports as a whole may be an ancestor of the skill only when it holds nothing else,
    # which cannot be told from here; so only the skill itself and what lies in it count.
    return bool(folder) and (path.rstrip("/") + "/").startswith(folder + "/")
