"""Which files judge a run, as the log locks them: executed, named outside the scope, imported, protected."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..cli.outputs import is_tracked
from ..kernel.core import artifacts, scope
from ..kernel.core.frozen import replace
from ..kernel.core.settings import Config
from ..kernel.disk import hashes
from ..kernel.disk.layout import SKILL_ROOT, installed
from ..kernel.run.evaluator_lock import protected
from ..kernel.system.git import Repo
from . import evaluator_files, named_files, skill_paths


def files(root: Path, config: Config) -> tuple[str, ...]:
    """Every file of the evaluator: executed, named outside the scope, imported by those, and `--protect` globs."""
    commands = skill_paths.commands(config)
    inside = _in_scope(root, config)
    executed = evaluator_files.executed(commands)
    found = named_files.expand(root, evaluator_files.locked(commands, inside))
    # A folder that a check names (`mypy src`, `PYTHONPATH=.`) may hold the very files the run is about.
    named = tuple(n for n in found if n in executed or not (inside(n) or artifacts.is_owned(n)))
    chosen = dict.fromkeys((*named, *_imported(root, named, inside), *protected(root, config)))
    built = _built(root, config, named)
    return (*(n for n in chosen if not _program_outside(root, n) and n not in built), *_shipped(root, executed))


def _built(root: Path, config: Config, names: Iterable[str]) -> frozenset[str]:
    """What the preparation makes and verify then runs: ignored by git, it follows from the sources."""
    if not config.prepare:
        return frozenset()
    kept = set(protected(root, config))
    return frozenset(name for name in names if name not in kept and _ignored(root, name))


def _ignored(root: Path, name: str) -> bool:
    repo = Repo(root)
    return not os.path.isabs(name) and repo.is_git() and not is_tracked(root / name) and not _visible(repo, name)


def _visible(repo: Repo, name: str) -> bool:
    return any(change.path == name for change in repo.changes())


def _shipped(root: Path, executed: frozenset[str]) -> tuple[str, ...]:
    """The skill's own check with all that it measures by, where a command runs it: it judges like any other file."""
    for name in sorted(executed):
        scripts, check = os.path.split(name)
        if check == "autoresearch_check.py" and _is_skills(root, name):
            parts = sorted((root / scripts / "autoresearch" / "checks").rglob("*.*"))
            kept = (path.relative_to(root / scripts) for path in parts if path.suffix in (".py", ".cjs"))
            return (name, *(f"{scripts}/{path.as_posix()}" for path in kept))
    return ()


def _is_skills(root: Path, name: str) -> bool:
    """Whether a file is one of this skill, reached by a link or not; where the skill itself is worked on, none is."""
    places = {SKILL_ROOT, Path(os.path.realpath(installed()))} - {Path(os.path.realpath(root))}
    return any(Path(os.path.realpath(root / name)).is_relative_to(place) for place in places)


def _in_scope(root: Path, config: Config) -> scope.Matcher:
    """Whether a path as a command spells it lies in the scope of the run's repository or of a companion."""
    scopes = [(root, scope.matcher(config.scope))]
    scopes += [(Path(repo.path), scope.matcher(repo.scope)) for repo in config.companions]

    def inside(name: str) -> bool:
        """Whether the path lies in the scope."""
        path = Path(os.path.normpath(root / name))
        return any(path.is_relative_to(top) and match(path.relative_to(top).as_posix()) for top, match in scopes)

    return inside


def _program_outside(root: Path, name: str) -> bool:
    """System programs and the skill itself are not the user's evaluator; hashing an interpreter says nothing."""
    path = root / name
    return _is_skills(root, name) or (
        os.path.isabs(name) and any(path.is_relative_to(place) for place in ("/usr", "/bin"))
    )


def _imported(root: Path, scripts: tuple[str, ...], inside: scope.Matcher) -> tuple[str, ...]:
    """Local modules outside the scope that the scripts import, followed to the end."""
    found: dict[str, None] = {}
    queue = [name for name in scripts if name.endswith(".py")]
    while queue and len(found) < hashes.FILE_LIMIT:
        script = queue.pop()
        wanted = evaluator_files.imports(named_files.source_text(root / script))
        beside = [(Path(script).parent / name).as_posix() for name in wanted]
        for name in named_files.expand(root, [*beside, *wanted]):
            if name not in found and name not in scripts and not inside(name):
                found[name] = None
                queue.append(name)
    return tuple(found)


def lock(root: Path, config: Config) -> dict[str, str]:
    """The evaluator's files with their digests, as the log keeps them."""
    return hashes.digests(root, files(root, config))


def written(root: Path, config: Config, before: Mapping[str, tuple[int, ...]]) -> tuple[str, ...]:
    """What the checks write and read back (`--outfile=out/app.js && wc -c < out/app.js`): their product, not a judge.

    That is each file they name whose stamp is not the one `before` they ran, unless git tracks it, or it is executed,
    imported or protected.
    """
    names = files(root, config)
    moved = [name for name, stamp in hashes.stamps(root, names).items() if stamp != before.get(name)]
    if not moved:
        return ()
    executed = named_files.expand(root, evaluator_files.executed(skill_paths.commands(config)))
    judges = {*executed, *_imported(root, executed, _in_scope(root, config)), *protected(root, config)}
    return tuple(name for name in moved if name not in judges and not is_tracked(root / name))


def shown(root: Path, config: Config, digests: Mapping[str, str]) -> tuple[str, ...]:
    """The locked files as answers list them: what lies outside the repository and only confirm names stays unsaid."""
    told = set(files(root, replace(config, confirm="")))
    seen = (name for name in digests if name in told or not Path(name).is_absolute())
    return tuple(name for name in seen if not _program_outside(root, name))


def result_files(root: Path, config: Config) -> tuple[str, ...]:
    """Files in the text of verify, or of a script that it runs, that may be its results: those git does not track."""
    scripts = named_files.expand(root, evaluator_files.executed([config.verify]))
    texts = (
        config.verify,
        *(named_files.source_text(root / name) for name in scripts if not _program_outside(root, name)),
    )
    names = dict.fromkeys(name for text in texts for name in evaluator_files.results(text))
    there = [name for name in names if not name.startswith("/") and (root / name).parent.is_dir()]
    return tuple(name for name in there[:20] if not is_tracked(root / name))
