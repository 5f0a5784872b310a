"""The evaluator lock of a run: which files it covers, and whether they are what they were at set-up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..core import evaluator, scope
from ..core.config import Config
from ..disk import hashes
from ..disk.journal import Log
from ..disk.layout import SKILL_ROOT


def files(root: Path, config: Config) -> tuple[str, ...]:
    """Every file of the evaluator: executed, named outside the scope, imported by those, and `--protect` globs."""
    commands = [command for command in (config.verify, config.guard, config.confirm) if command]
    inside = scope.matcher(config.scope)
    named = hashes.expand(root, evaluator.locked(commands, inside))
    chosen = dict.fromkeys((*named, *_imported(root, named, inside), *hashes.glob(root, config.protect)))
    return tuple(name for name in chosen if not _program_outside(root, name))


def _program_outside(root: Path, name: str) -> bool:
    """System programs and the skill itself are not the user's evaluator; hashing an interpreter says nothing."""
    path = Path(name)
    return path.is_absolute() and (
        path.is_relative_to("/usr") or path.is_relative_to("/bin") or path.is_relative_to(SKILL_ROOT)
    )


def _imported(root: Path, scripts: tuple[str, ...], inside: scope.Matcher) -> tuple[str, ...]:
    """Local modules outside the scope that the scripts import, followed to the end."""
    found: dict[str, None] = {}
    queue = [name for name in scripts if name.endswith(".py")]
    while queue and len(found) < hashes.FILE_LIMIT:
        script = queue.pop()
        wanted = evaluator.imports(hashes.source_text(root / script))
        beside = [(Path(script).parent / name).as_posix() for name in wanted]
        for name in hashes.expand(root, [*beside, *wanted]):
            if name not in found and name not in scripts and not inside(name):
                found[name] = None
                queue.append(name)
    return tuple(found)


def lock(root: Path, config: Config) -> dict[str, str]:
    """The evaluator's files with their digests, as the log keeps them."""
    return hashes.digests(root, files(root, config))


def known(log: Log) -> Mapping[str, str]:
    """The digests in force: those of the last evaluator event."""
    for event in reversed(log.events):
        if event.get("kind") == "evaluator" and isinstance(event.get("files"), dict):
            return dict(event["files"])
    return {}


def changed(root: Path, digests: Mapping[str, str]) -> tuple[str, ...]:
    """The evaluator files that are not what they were at set-up."""
    now = hashes.digests(root, digests)
    return tuple(name for name, digest in digests.items() if now[name] != digest)
