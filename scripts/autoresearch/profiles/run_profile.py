"""Takes the run's profile where it is due, keeps it as evidence, and says what changed since the one before."""

from __future__ import annotations

from pathlib import Path

from ..kernel.core.errors import Refusal
from ..kernel.core.rows import Row
from ..kernel.core.settings import Config
from ..kernel.disk import evidence
from ..kernel.run.context import Run
from . import spots

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DUE = ("baseline", "keep", "pivot")
LIMIT = 600.0  # seconds


def shown(run: Run, row: Row, answer: object = None) -> dict[str, Any]:
    """Keys of an answer: `profile`, the top lines of the retained code, and `profile_moved` since the one before.

    Nothing where no profile is wanted or due; a profile that fails is said, for the row is in the log.
    """
    if not run.config.profile or row.status not in DUE or row.worker:
        return {}
    before = _last(run.layout.evidence, row.iteration)
    try:
        text = taken(run.config, run.tree)
    except Refusal as refusal:
        return {"profile": [f"none: {refusal}"]}
    folder = evidence.folder(run.layout.evidence, row.iteration)
    folder.mkdir(parents=True, exist_ok=True)
    found = spots.parsed(text)
    lines = spots.told(found, text)
    evidence.write_json(folder / evidence.PROFILE, {"told": lines, "spots": [[s.share, s.name] for s in found]})
    changed = spots.moved(before, found) if before else []
    return {"profile": lines, **({"profile_moved": changed} if changed else {})}


def rehearsed(config: Config, root: Path) -> dict[str, Any]:
    """The top lines now, for a dry run; raises `Refusal` for a profile that gives none."""
    if not config.profile:
        return {}
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


def _last(root: Path, iteration: int) -> tuple[spots.HotSpot, ...]:
    """The newest profile before an iteration."""
    for number in range(iteration - 1, -1, -1):
        found = of_iteration(root, number)
        if found:
            return found
    return ()


def of_iteration(root: Path, number: int) -> tuple[spots.HotSpot, ...]:
    """The profile that was taken after an iteration; none for no or a strange file."""
    data = (evidence.read_json(evidence.folder(root, number) / evidence.PROFILE) or {}).get("spots")
    rows = data if isinstance(data, list) else []
    pairs = (row for row in rows if isinstance(row, list) and len(row) == 2)
    try:
        return tuple(spots.HotSpot(float(share), str(name)[:200]) for share, name in pairs)
    except (TypeError, ValueError):
        return ()
