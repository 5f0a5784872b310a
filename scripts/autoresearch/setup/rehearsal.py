"""The flags of the last dry run of a repository, kept for its start: outside the repository, and only for this user."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from ..kernel.core import jsontext
from ..kernel.core.errors import Refusal
from ..kernel.disk import atomic, regular
from ..kernel.disk.layout import own_scratch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "rehearsal.json"
PROPOSED = "proposed.json"
REFUSED = "refused.json"  # the flags of a dry run that was refused, for the next one to mend


def keep(root: Path, flags: Mapping[str, Any], name: str = NAME) -> None:
    """Note the flags in place of earlier ones of that name; raises `Refusal` where they cannot be noted."""
    folder = own_scratch(root)
    try:
        folder.parent.mkdir(exist_ok=True, mode=0o700)
        folder.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise atomic.unwritable(folder, error) from None
    _own(folder.parent)
    atomic.replace(folder / name, jsontext.dumps(dict(flags)))


def read(root: Path) -> Mapping[str, Any]:
    """The flags of the last dry run; raises `Refusal` when there was none."""
    found = noted(root, NAME)
    if found is None:
        raise Refusal(
            "no dry run of this repository is noted on this machine, expected one for --as-rehearsed; "
            "run autoresearch_init_run.py --dry-run first, or pass its flags"
        )
    return found


def to_mend(root: Path) -> Mapping[str, Any]:
    """The flags of the last dry run, also of one that was refused; raises `Refusal` when there was none."""
    found = noted(root, REFUSED)
    return read(root) if found is None else found


def settled(root: Path, flags: Mapping[str, Any]) -> None:
    """Note a dry run that was answered: there is nothing to mend."""
    keep(root, flags)
    (own_scratch(root) / REFUSED).unlink(missing_ok=True)


def proposed(root: Path, number: int) -> Mapping[str, Any]:
    """The flags of the scout's proposal, counted from 1; raises `Refusal` when there is none of that number."""
    offers = (noted(root, PROPOSED) or {}).get("offers", [])
    if not isinstance(offers, list) or not 1 <= number <= len(offers):
        raise Refusal(
            f"{len(offers)} proposals for this repository are noted on this machine, expected number {number}; "
            "run autoresearch_scout.py --repo . first, or pass the flags"
        )
    return dict(offers[number - 1])


def noted(root: Path, name: str) -> Mapping[str, Any] | None:
    """What was kept under this name, None where there is nothing usable; raises `Refusal` for a folder of others."""
    folder = own_scratch(root)
    try:
        _own(folder.parent)
        found = jsontext.loads(regular.read_text(folder / name))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, Mapping) else None


def _own(folder: Path) -> None:
    """Whoever else could write here could choose the commands that are run: only a folder of this user's counts."""
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise Refusal(f"{folder} is not this user's alone, expected a folder that nobody else can write; remove it")
