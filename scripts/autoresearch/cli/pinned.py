"""A shipped check that compares with `HEAD` names the start's commit: HEAD moves with each experiment, which would then
be compared with itself."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from . import guards

CHECKS = ("verify", "guard", "confirm", "screen", "profile")
_HEAD = re.compile(r"(autoresearch_check\.py\b[^;&|\n]*?--against[ =]['\"]?)(?:HEAD|@)(?![\w./~^@{-])")


def pin(args: argparse.Namespace, root: Path) -> None:
    """Put the commit that is HEAD now in its place, in every check that was given."""
    given = {name: getattr(args, name, None) for name in CHECKS}
    texts = {name: value for name, value in given.items() if value}
    if not any(_HEAD.search(text) for value in texts.values() for text in guards.listed(value)):
        return
    from ..kernel.system.git import Repo

    repo = Repo(root)
    head = repo.head()[:12] if repo.is_git() else ""
    for name, value in texts.items() if head else ():
        named = [_HEAD.sub(rf"\g<1>{head}", text) for text in guards.listed(value)]
        setattr(args, name, named[0] if isinstance(value, str) else named)
