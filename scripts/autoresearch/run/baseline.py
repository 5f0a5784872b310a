"""The baseline: reported by the caller, or measured here with its noise, its evaluator and its traps."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from ..core import evaluator as rules
from ..core import noise
from ..core.config import Config
from ..core.errors import Refusal
from ..core.frozen import dataclass, field, replace
from ..core.text import listing
from ..disk import hashes
from ..disk.journal import Event
from ..disk.layout import Layout
from ..system.git import Repo
from . import evaluator, measure, paired, require, tree
from .measure import Bench, Sample


@dataclass(frozen=True)
class Baseline:
    """The first row's figures, what must be remembered with them, and what to tell the user."""

    metric: Decimal
    commit: str
    guard: str = "-"
    config: Config = field(default_factory=Config)
    events: tuple[Event, ...] = ()
    warnings: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    repo_commits: Mapping[str, str] = field(default_factory=dict)
    staging: Path | None = None

    def keep_evidence(self, root: Path) -> None:
        """Move the captured output of the baseline to its place."""
        if self.staging is not None:
            target = root / "0000"
            shutil.rmtree(target, ignore_errors=True)
            os.replace(self.staging, target)


def reported(metric: Decimal, commit: str) -> Baseline:
    """A baseline that the caller measured."""
    return Baseline(metric, commit)


def refuse_unready(layout: Layout, mode: str, config: Config) -> dict[str, str]:
    """Refuse what no measured run can start from; returns HEAD by repository path."""
    if not config.verify:
        raise Refusal("there is no check, expected --verify 'COMMAND' that prints one number (or --baseline-metric)")
    heads: dict[str, str] = {}
    for repo in config.repos:
        root = Path(config.worktree or repo.path) if repo.role == "primary" else Path(repo.path)
        heads[repo.path] = _refuse_repo(root, repo.path, repo.scope, mode, layout)
    return heads


def _refuse_repo(root: Path, name: str, scope: str, mode: str, layout: Layout) -> str:
    git = Repo(root)
    if not git.is_git():
        raise Refusal(f"{name} is not a git repository, expected one: experiments are commits; run git init and commit")
    head = git.head()
    if not head:
        raise Refusal(f"{name} has no commit yet, expected one to go back to; commit the current state first")
    found = tree.sort(name, root, scope, (), layout.own_paths())
    paths = (*found.inside, *(found.outside if mode == "exec" else ()))
    if paths:
        raise Refusal(
            f"uncommitted changes in {listing(paths)}: the baseline would not be the commit it names; "
            "ask the user to commit or stash them, then repeat the command"
        )
    return head


def measured(layout: Layout, mode: str, config: Config) -> Baseline:
    """Measure verify (repeated), then the guard once, and lock the evaluator; raises `Refusal` for a bad check."""
    heads = refuse_unready(layout, mode, config)
    root = Path(config.worktree or layout.root)
    staging = layout.evidence / "baseline.tmp"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        return _measure(layout, config, heads, root, staging)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _measure(layout: Layout, config: Config, heads: Mapping[str, str], root: Path, staging: Path) -> Baseline:
    primary = str(layout.root)
    before = set(Repo(root).untracked_roots())
    outside = _outside(layout, config)
    lock = evaluator.lock(root, config)
    bench = Bench(root, staging, config, measure.limit_of(config, None), f"baseline-{os.getpid()}")
    samples = _samples(bench)
    guard_seconds = _guard(bench)
    _refuse_unstable(root, lock)
    values = tuple(sample.value for sample in samples if sample.value is not None)
    calibration = noise.calibrate(values, [s.seconds for s in samples], config.max_runs, float(config.alpha))
    seconds = sorted(sample.seconds for sample in samples)[len(samples) // 2]
    config = replace(
        config,
        noise={
            **paired.noise_of(calibration),
            "seconds": Decimal(f"{seconds:.4f}"),
            "guard_seconds": Decimal(f"{guard_seconds:.4f}"),
        },
    )
    config = require.resolve(config, samples[0].others)
    events: list[Event] = [{"kind": "evaluator", "files": lock}]
    events.append({"kind": "heads", "iteration": 0, "heads": dict(heads)})
    events += _foreign(primary, root, outside) + _byproducts(primary, root, before)
    events.append({"kind": "samples", "iteration": 0, "samples": [sample.to_dict() for sample in samples]})
    commits = dict(heads) if len(heads) > 1 else {}
    warnings = (
        *rules.traps(config.verify, config.direction, config.verify_exit),
        *calibration.warnings,
        *_dirty_warning(outside),
    )
    return Baseline(
        calibration.center,
        Repo(root).short(heads[primary]),
        "pass" if config.guard else "-",
        config,
        tuple(events),
        warnings,
        tuple(lock),
        commits,
        staging,
    )


def _samples(bench: Bench) -> list[Sample]:
    samples: list[Sample] = []
    while len(samples) < paired.repeats(bench.config, samples[0].seconds if samples else None):
        sample = measure.verify(bench, f"verify-{len(samples) + 1}")
        if sample.value is None:
            raise Refusal(f"the check gives no number: {sample.problem}; {_remedy(sample, bench.config)}")
        samples.append(sample)
    return samples


def _remedy(sample: Sample, config: Config) -> str:
    if sample.exit_code not in (0, None) and config.verify_exit == "zero":
        return "if the exit code says nothing here, append '|| true' to the check or set up with --verify-exit any"
    return "expected exactly one finite decimal on stdout (or METRIC name=value lines); correct the check"


def _guard(bench: Bench) -> float:
    if not bench.config.guard:
        return 0.0
    passed, problem, seconds = measure.passes(bench, bench.config.guard, "guard")
    if not passed:
        raise Refusal(
            f"the guard fails on the untouched tree ({problem}), expected a pass; repair it or choose another"
        )
    return seconds


def _refuse_unstable(root: Path, lock: Mapping[str, str]) -> None:
    moved = evaluator.changed(root, lock)
    if moved:
        raise Refusal(
            f"the check changes its own files ({listing(moved)}); expected it to leave them alone, correct it"
        )


def _outside(layout: Layout, config: Config) -> dict[str, tuple[Path, tuple[str, ...]]]:
    """The user's changes outside the scope, by repository: tolerated, never touched, and watched."""
    found = {}
    for repo in config.repos:
        root = Path(config.worktree or repo.path) if repo.role == "primary" else Path(repo.path)
        found[repo.path] = (root, tree.sort(repo.path, root, repo.scope, (), layout.own_paths()).outside)
    return found


def _foreign(primary: str, root: Path, outside: Mapping[str, tuple[Path, tuple[str, ...]]]) -> list[Event]:
    return [
        {"kind": "foreign", "repo": repo, "files": hashes.digests(where, paths)}
        for repo, (where, paths) in outside.items()
        if paths
    ]


def _dirty_warning(outside: Mapping[str, tuple[Path, tuple[str, ...]]]) -> tuple[str, ...]:
    paths = [path for _, found in outside.values() for path in found]
    if not paths:
        return ()
    return (f"uncommitted changes outside the scope stay as they are: {listing(paths)}; editing them stops the run",)


def _byproducts(repo: str, root: Path, before: set[str]) -> list[Event]:
    """Untracked paths that appeared while the checks ran."""
    return byproduct_event(repo, root, before)


def byproduct_event(repo: str, root: Path, before: set[str]) -> list[Event]:
    """The event that names what the checks left behind, if anything."""
    from ..core import artifacts

    new = [path for path in Repo(root).untracked_roots() if path not in before and not artifacts.is_owned(path)]
    return [{"kind": "byproducts", "repo": repo, "paths": sorted(new)[:200]}] if new else []
