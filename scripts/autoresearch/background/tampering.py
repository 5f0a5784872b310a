"""Whether a sandboxed session changed what makes git run a program outside its sandbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..kernel.core.choices import SANDBOXED
from ..kernel.core.errors import Refusal
from ..kernel.core.rulings import Ruling
from ..kernel.core.settings import Config
from ..kernel.core.text import listing
from ..kernel.disk.layout import Layout
from ..kernel.run import context
from . import runtime
from .gitcontrol import Controlled


def control(layout: Layout, wanted: Config, more: Sequence[str | Path] = ()) -> Mapping[str, str]:
    """Digests of what makes git run something in the run's trees and `more`, {} where no session is confined.

    `wanted` is what was agreed, for a run that is not set up yet.
    """
    try:
        run = context.load(layout)
        policy, trees = run.config.execution_policy, [where for where, _ in run.trees().values()]
    except Refusal:
        policy, trees = wanted.execution_policy, [layout.root]
    if policy != SANDBOXED:
        return {}
    repos = [repo for repo in (Controlled(Path(tree)) for tree in (*trees, *more)) if repo.is_git()]
    return {key: value for repo in repos for key, value in repo.control_fingerprint().items()}


def ending(before: Mapping[str, str], now: Mapping[str, str]) -> Ruling | None:
    """The end of the run where something changed in between."""
    changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    if not changed:
        return None
    detail = f"the session changed what git runs outside the sandbox: {listing(changed)}; look before you use git here"
    return Ruling(runtime.HUMAN, "blocked", detail)
