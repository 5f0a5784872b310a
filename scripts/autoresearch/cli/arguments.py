"""Argument groups that several commands share, and how they become a layout or a configuration.

Functions load what they need when they are called, for the sake of `--help` (see `cli/__init__.py`).
"""

from __future__ import annotations

import argparse
import os

from ..kernel.core import choices
from ..kernel.core.errors import Refusal

TYPE_CHECKING = False  # `typing` itself costs more than `--help` may
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from ..kernel.core.settings import Config, Setting
    from ..kernel.disk.layout import Layout


class Last(argparse.Action):
    """Takes the last value of a flag, as usual, and notes in `dropped` the earlier ones that differ from it."""

    def __call__(self, _parser: Any, namespace: argparse.Namespace, values: Any, flag: str | None = None) -> None:
        """Take one value."""
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, values)
        if before not in (None, values):
            namespace.dropped = [*getattr(namespace, "dropped", []), f"{flag} {before}"]


def add_repo(parser: argparse.ArgumentParser) -> None:
    """`--repo`."""
    parser.add_argument("--repo", metavar="DIR", help="any folder inside the repository (default: the current folder)")


def add_paths(parser: argparse.ArgumentParser) -> None:
    """`--repo` and the artifact paths."""
    add_repo(parser)
    for name, default in choices.FILES.items():
        parser.add_argument(f"--{name}-path", metavar="PATH", help=f"instead of {default} in the repository's root")


def root_of(args: argparse.Namespace) -> Path:
    """The folder that holds the run's artifacts: of `--repo`, else of an absolute `--results-path`, else the one we
    are in."""
    from pathlib import Path

    from .endless import refuse_at_start
    from .run_root import find_root, refuse_lost

    given = getattr(args, "repo", None)
    try:
        os.getcwd()
    except OSError:
        raise Refusal("the current folder is gone; cd to one that is there, and repeat the command") from None
    if given and not Path(given).is_dir():
        raise Refusal(f"--repo {given} is not a folder, expected any folder inside the repository; correct the path")
    results = getattr(args, "results_path", None) or ""
    named = Path(given) if given else Path(results).parent if os.path.isabs(results) else Path.cwd()
    refuse_at_start(named)
    refuse_lost(Path(os.path.realpath(named)))
    return find_root(named)


def layout_of(args: argparse.Namespace) -> Layout:
    """The artifact paths that the flags name; relative ones resolve in the repository."""
    from ..kernel.disk.layout import Layout, standard

    root = root_of(args)
    given = {name: getattr(args, f"{name}_path", None) for name in choices.FILES}
    for name, path in given.items():
        if path and root / path != root / choices.FILES[name]:
            from . import outputs

            outputs.refuse(root / path, f"--{name}-path", standard(root), outputs.LOOKS, name)
    chosen = [os.path.realpath(root / (given[name] or default)) for name, default in choices.FILES.items()]
    if len(set(chosen)) < len(chosen):
        raise Refusal("two of the path flags name one file, expected a file each; correct the paths")
    return Layout(root, **{name: (root / (given[name] or default)) for name, default in choices.FILES.items()})


def add_config(parser: argparse.ArgumentParser) -> None:
    """The configuration flags of `init_run`, `runtime_ctl launch` and `exec`."""
    parser.add_argument("--mode", help="loop, plan, debug, fix, security, ship or exec (default: loop)")
    parser.add_argument("--run-tag", help="name of the run (default: made from the goal)")
    parser.add_argument(
        "--companion-repo-scope", action="append", metavar="PATH=SCOPE", help="a second repository with its own scope"
    )
    parser.add_argument("--environment-summary", help="one line for the log (default: probed)")
    from ..kernel.core.settings import NOISE

    add_settings(parser, "")
    add_settings(parser.add_argument_group(NOISE), NOISE)


def add_settings(parser: Any, group: str) -> None:
    """The flags of one group of settings."""
    from ..kernel.core.settings import SETTINGS

    for row in SETTINGS:
        if row.about and row.more.get("group", "") == group:
            _add(row, parser)


def _add(row: Setting, parser: Any) -> None:
    kinds: dict[str, Any] = {"action": "append" if row.is_list or row.more.get("repeated") else Last}
    if row.kind.startswith(("int", "float")):
        kinds["type"] = int if row.kind.startswith("int") else float
    if row.more.get("choices"):
        kinds["choices"] = row.more["choices"]
    else:
        kinds["metavar"] = row.more.get("metavar")
    parser.add_argument(f"--{row.flag}", dest=row.dest, help=row.help(), **kinds)


def config_of(args: argparse.Namespace, root: Path) -> Config:
    """The configuration that the flags tell; raises `Refusal` for values that could not run."""
    from ..kernel.core import config, settings
    from ..kernel.core.rows import labels
    from . import guards, pinned

    pinned.pin(args, root)
    data: dict[str, Any] = {}
    for row in filter(lambda row: row.about, settings.SETTINGS):
        value = getattr(args, row.dest, None)
        if value is not None:
            given = guards.joined(guards.listed(value)) if row.more.get("repeated") else value
            data[row.name] = labels(value) if row.more.get("labels") else given
    if "until" in data:
        from . import moments

        data["until"] = moments.moment(data["until"])
    data["repos"] = repos_of(getattr(args, "companion_repo_scope", None), root, data.get("scope", ""))
    return config.from_dict(data)


def repos_of(companions: list[str] | None, root: Path, scope: str) -> list[dict[str, str]]:
    """The repositories of a run as `config.repos` holds them; raises `Refusal` for a companion that is none."""
    from pathlib import Path

    from ..kernel.core.settings import RepoScope
    from .run_root import find_root

    found = [RepoScope(str(root), scope, "primary").to_dict()]
    for item in companions or ():
        path, equals, inner = item.partition("=")
        folder = Path(os.path.realpath(root / path))
        if not equals or not inner.strip() or not folder.is_dir():
            raise Refusal(f"--companion-repo-scope {item[:80]!r} is not usable; expected PATH=SCOPE, e.g. ../api=src/")
        if find_root(folder) == Path(os.path.realpath(root)):
            raise Refusal(f"companion {path} is the primary repository; expected another one, or widen --scope")
        found.append(RepoScope(str(find_root(folder)), inner.strip(), "companion").to_dict())
    return found


def commits_of(values: list[str] | None, root: Path) -> dict[str, str]:
    """`PATH=COMMIT` flags as a mapping by the repository that holds the path."""
    from .run_root import find_root

    found = {}
    for item in values or ():
        path, equals, commit = item.rpartition("=")
        if not equals or not path or not commit:
            raise Refusal(f"--repo-commit {item[:80]!r} is not usable, expected PATH=COMMIT")
        found[str(find_root(root / path))] = commit
    return found


def number_of(text: str | None, what: str) -> Any:
    """A decimal flag, or None when it was not given."""
    from ..kernel.core import numbers

    return None if text is None else numbers.parse(text, what)
