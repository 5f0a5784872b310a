"""Takes the run's profile where it is due, keeps it as evidence, and says what changed since the one before."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

from ..kernel.core.errors import Refusal
from ..kernel.core.rows import Row
from ..kernel.core.settings import Config
from ..kernel.core.text import one_line
from ..kernel.disk import evidence
from ..kernel.run.context import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .spots import HotSpot

DUE = ("baseline", "keep", "pivot")
LIMIT = 600.0  # seconds
CHEAP = 3.0  # seconds that a profile after a keep may always take


def shown(run: Run, row: Row, answer: object = None) -> dict[str, Any]:
    """Keys of an answer: `profile`, the top lines of the retained code, and `profile_moved` since the one before.

    Nothing where no profile is wanted or due; a profile that fails is said, for the row is in the log.
    """
    if not run.config.profile or row.status not in DUE or row.worker:
        return {}
    from . import spots

    before = _last(run.layout.evidence, row.iteration)
    spared = _spared(run, row)
    if spared:
        return {"profile": [f"none: {spared}"]}
    began = time.monotonic()
    try:
        text = taken(run.config, run.tree)
    except Refusal as refusal:
        return {"profile": [f"none: {refusal}"]}
    folder = evidence.folder(run.layout.evidence, row.iteration)
    folder.mkdir(parents=True, exist_ok=True)
    found = spots.parsed(text)
    lines = spots.told(found, text)
    kept = {"told": lines, "spots": [[s.share, s.name] for s in found], "seconds": round(time.monotonic() - began, 1)}
    evidence.write_json(folder / evidence.PROFILE, kept)
    changed = spots.moved(before, found) if before else []
    return {"profile": lines, **({"profile_moved": changed} if changed else {})}


def _spared(run: Run, row: Row) -> str:
    """Why no profile is taken after a keep: the last one took more than the tool may take of the time since; else "".

    A pivot needs one, whatever it takes.
    """
    number = next((n for n in range(row.iteration - 1, -1, -1) if of_iteration(run.layout.evidence, n)), -1)
    if row.status != "keep" or number < 0:
        return ""
    from ..search import thought

    noted = evidence.read_json(evidence.folder(run.layout.evidence, number) / evidence.PROFILE) or {}
    took, pace = noted.get("seconds"), thought.of_run(run)
    since = (row.iteration - number) * (pace.thinking + pace.measuring)
    if not isinstance(took, (int, float, Decimal)) or float(took) <= max(CHEAP, thought.PRICE * since):
        return ""
    return (
        f"the last one took {took} s, more than a tenth of the {since:.0f} s since; a pivot takes one, and you may: "
        f"{one_line(run.config.profile, 120)}"
    )


def rehearsed(config: Config, root: Path) -> dict[str, Any]:
    """The top lines now, for a dry run; raises `Refusal` for a profile that gives none."""
    if not config.profile:
        return {}
    from . import spots

    text = taken(config, root)
    found = spots.parsed(text)
    unknown = [] if found else ["(no line reads NUMBER % NAME: shown as printed, and two profiles are not compared)"]
    return {"profile": [*spots.told(found, text), *unknown]}


def taken(config: Config, tree: Path) -> str:
    """What the profile's command prints; tracked files that it changes are put back.

    Raises `Refusal` when it fails, prints nothing or leaves files.
    """
    from ..checks import toolbox
    from ..kernel.system.git import Repo

    repo = Repo(tree)
    before = {change.path for change in repo.changes()}
    ran = toolbox.shell(config.profile, toolbox.Request(tree, (), {"timeout": LIMIT}))
    wrote = [change for change in repo.changes() if change.path not in before]
    repo.restore([change.path for change in wrote if change.code != "?"])
    left = [change.path for change in wrote if change.code == "?"]
    if left:
        raise Refusal(
            f"the profile leaves {left[0]} in the tree, expected nothing; let it write elsewhere, remove that"
        )
    if ran.code or not ran.out.strip():
        raise toolbox.broken("the profile", ran)
    return ran.out


def _last(root: Path, iteration: int) -> tuple[HotSpot, ...]:
    """The newest profile before an iteration."""
    for number in range(iteration - 1, -1, -1):
        found = of_iteration(root, number)
        if found:
            return found
    return ()


def of_iteration(root: Path, number: int) -> tuple[HotSpot, ...]:
    """The profile that was taken after an iteration; none for no or a strange file."""
    from . import spots

    data = (evidence.read_json(evidence.folder(root, number) / evidence.PROFILE) or {}).get("spots")
    rows = data if isinstance(data, list) else []
    pairs = (row for row in rows if isinstance(row, list) and len(row) == 2)
    try:
        return tuple(spots.HotSpot(float(share), str(name)[:200]) for share, name in pairs)
    except (TypeError, ValueError):
        return ()
