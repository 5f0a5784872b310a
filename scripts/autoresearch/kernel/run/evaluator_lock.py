"""The evaluator lock of a run: the digests in force, and whether the files are what they were at set-up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..core import artifacts
from ..core.settings import Config
from ..disk import hashes
from ..disk.journal import Log
from . import tree
from .context import Run


def protected(root: Path, config: Config) -> tuple[str, ...]:
    """What `--protect` covers now."""
    return tuple(name for name in hashes.glob(root, config.protect) if not artifacts.is_owned(name))


def known(log: Log) -> Mapping[str, str]:
    """The digests in force: those of the last evaluator event."""
    return dict(next((e["files"] for e in log.backwards("evaluator") if isinstance(e.get("files"), dict)), {}))


def results(log: Log) -> tuple[str, ...]:
    """Result files that every run of the baseline wrote, by the last evaluator event."""
    return tuple(map(str, next(log.backwards("evaluator"), {}).get("results", ())))


def changed(root: Path, digests: Mapping[str, str]) -> tuple[str, ...]:
    """The evaluator files that are not what they were at set-up."""
    now = hashes.digests(root, digests)
    return tuple(name for name, digest in digests.items() if now[name] != digest)


def violated(run: Run) -> tuple[str, ...]:
    """Evaluator files that changed, and new ones that `--protect` covers, but for what the checks leave behind."""
    digests = known(run.log)
    left = tree.byproducts(run.log.of_kind("byproducts"), str(run.layout.root))
    new = (name for name in protected(run.tree, run.config) if name not in digests)
    return (*changed(run.tree, digests), *(name for name in new if not tree.is_below(name, left)))
