"""Health of a run's surroundings: disk, git, scope, check, artifacts; and the gate before commits and rollbacks."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from ..kernel.core import artifacts, scope
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.settings import Config
from ..kernel.core.text import listing
from ..kernel.disk import journal, snapshot
from ..kernel.disk.layout import Layout
from ..kernel.run import context, tree
from ..kernel.system.git import GitError, Repo
from ..machine import probe
from ..resuming import foreign_log, resume_rules
from ..resuming import resuming as reading
from . import pace_warning

WARN_MB = 1024
NOTHING = "!."  # the scope that takes every path out again
OK, WARN, BLOCK = "ok", "warn", "block"


@dataclass(frozen=True)
class Checked:
    """One repository as the gates see it; `title` begins a sentence about a companion with its path."""

    repo: str
    role: str
    patterns: tuple[str, ...]
    in_scope: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    staged_artifacts: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The entry of `repo_worktree_checks` and `repo_gates`."""
        return {
            "path": self.repo,
            "repo": self.repo,
            "role": self.role,
            "scope_patterns": list(self.patterns),
            "in_scope": list(self.in_scope),
            "unexpected_worktree": list(self.unexpected),
            "staged_artifacts": list(self.staged_artifacts),
            "blockers": list(self.problems),
        }

    @property
    def title(self) -> str:
        """What a sentence about this repository begins with."""
        return "" if self.role == "primary" else f"{self.repo}: "


def repos(layout: Layout, pattern: str | None, companions: Mapping[str, str]) -> dict[str, str]:
    """Scope by repository: as asked, else the one of the run; without either nothing is in scope."""
    known: dict[str, str] = {str(layout.root): NOTHING if pattern is None else pattern}
    if pattern is None:
        found = _told(layout)
        if found is not None:
            known[str(layout.root)] = found.scope
            known.update({repo.path: repo.scope for repo in found.companions})
    return {**known, **companions}


def _told(layout: Layout) -> Config | None:
    """The configuration of the run, also where the log's rows cannot be read; None without a run."""
    seen = reading.examine(layout)
    written = snapshot.tolerant(seen.layout.state)
    try:
        log = seen.log or journal.Log(seen.header, (), journal.Events())
        return context.configuration(log, written) if seen.header or written else None
    except Refusal:
        return None


def inspect(layout: Layout, repo: str, pattern: str) -> Checked:
    """Sort what differs in one repository."""
    root = Path(repo)
    git = Repo(root)
    role = "primary" if repo in (str(layout.root), _tree(layout)) else "companion"
    checked = Checked(repo, role, () if pattern == NOTHING else scope.split(pattern))
    if not git.is_git():
        return replace(checked, problems=("not a git repository",))
    events = _events(layout)
    try:
        found = tree.sort(repo, root, pattern, events, layout.own_paths())
        changes = git.changes()
    except GitError as error:
        return replace(checked, problems=(f"git is broken: {error}",))
    staged = tuple(c.path for c in changes if c.staged and (artifacts.is_owned(c.path) or c.path in layout.own_paths()))
    busy = git.busy()
    problems = [f"an operation is unfinished ({', '.join(busy)})"] if busy else []
    problems += [f"unmerged paths: {listing(found.unmerged)}"] if found.unmerged else []
    return replace(
        checked, in_scope=found.inside, unexpected=found.outside, staged_artifacts=staged, problems=tuple(problems)
    )


def _tree(layout: Layout) -> str:
    """The run's own checkout, where it has one: it stands for the primary repository."""
    found = _told(layout)
    return found.worktree if found else ""


def _events(layout: Layout) -> Sequence[journal.Event]:
    try:
        return journal.read(layout.results).events
    except (OSError, ValueError):
        return ()


@dataclass(frozen=True)
class GateQuestion:
    """What a commit gate is asked: phase, rollback policy and whether a destructive one was approved."""

    phase: str
    rollback_policy: str = "revert"
    destructive_approved: bool = False


def commit_gate(layout: Layout, asked: GateQuestion, scopes: Mapping[str, str]) -> dict[str, Any]:
    """The answer of `commit_gate`."""
    told = {**vars(asked), "scope_patterns": []}
    if not Repo(layout.root).is_git():
        skipped = ["not a git repository: nothing can be committed or rolled back"]
        return {**_gate_answer("skipped", [], skipped, []), **told}
    checked = [inspect(layout, repo, pattern) for repo, pattern in scopes.items()]
    blockers = [f"{item.repo}: {problem}" for item in checked for problem in item.problems]
    warnings: list[str] = []
    for item in checked:
        _weigh(item, asked, blockers, warnings)
    if asked.rollback_policy != "revert" and not asked.destructive_approved:
        blockers.append(f"rollback policy {asked.rollback_policy} drops commits and was not approved; use revert")
    told["scope_patterns"] = next((list(item.patterns) for item in checked if item.role == "primary"), [])
    decision = "block" if blockers else "warn" if warnings else "allow"
    return {**_gate_answer(decision, blockers, warnings, checked), **told}


def _weigh(item: Checked, asked: GateQuestion, blockers: list[str], warnings: list[str]) -> None:
    if item.staged_artifacts:
        staged = f"artifacts are staged: {listing(item.staged_artifacts)}; unstage them (git restore --staged)"
        blockers.append(item.title + staged)
    if item.unexpected:
        text = f"{item.title}changes outside the scope: {listing(item.unexpected)}; commit or stash them"
        (warnings if asked.phase == "rollback" else blockers).append(text)
    edited = f"{item.title}uncommitted changes in the scope: {listing(item.in_scope)}"
    if item.in_scope and asked.phase == "prelaunch":
        warnings.append(f"{edited}; they would be part of the baseline")
    if item.in_scope and asked.phase == "prebatch":
        blockers.append(f"{edited}; a batch starts from the retained state")


def _gate_answer(decision: str, blockers: list[str], warnings: list[str], checked: Sequence[Checked]) -> dict[str, Any]:
    return {
        "decision": decision,
        "blockers": blockers,
        "warnings": warnings,
        "unexpected_worktree": [path for item in checked for path in item.unexpected],
        "staged_artifacts": [path for item in checked for path in item.staged_artifacts],
        "repo_gates": [item.to_dict() for item in checked],
    }


@dataclass(frozen=True)
class Surroundings:
    """What is wrong around a run, its own artifacts aside."""

    free_mb: int
    warnings: list[str]
    blockers: list[str]
    checks: list[dict[str, Any]]


def surroundings(layout: Layout, verify: str, scopes: Mapping[str, str], min_free_mb: int) -> Surroundings:
    """Look at disk, check and repositories; `scopes` are patterns by checkout."""
    warnings: list[str] = []
    blockers: list[str] = []
    free = probe.free_mb(layout.root)
    if free < min_free_mb:
        blockers.append(f"{free} MB of disk free, {min_free_mb} needed; free some")
    elif free < max(WARN_MB, min_free_mb):
        warnings.append(f"only {free} MB of disk free")
    _check_command(layout, verify, blockers)
    checks = _check_repos(layout, scopes, warnings, blockers)
    return Surroundings(free, warnings, blockers, checks)


def health(layout: Layout, verify: str, scopes: Mapping[str, str], min_free_mb: int) -> dict[str, Any]:
    """The answer of `health_check`; nothing is started but git."""
    found = surroundings(layout, verify, scopes, min_free_mb)
    warnings, blockers = found.warnings, found.blockers
    seen = reading.examine(layout)
    decision = seen.decision
    if decision.decision == resume_rules.WIZARD or decision.reason == resume_rules.BROKEN:
        blockers.append(f"artifacts: {'; '.join(decision.sentences)}")
    elif decision.decision == resume_rules.FALLBACK:
        warnings.append(f"artifacts: {'; '.join(decision.sentences)}")
    warnings += foreign_log.told(layout.results)
    warnings += filter(None, [pace_warning.slower(_seconds(seen.log))])
    return {
        "decision": BLOCK if blockers else WARN if warnings else OK,
        "warnings": warnings,
        "blockers": blockers,
        "resume_decision": decision.decision,
        "resume_detail": decision.reason,
        "has_results": seen.evidence.has_results,
        "has_state": seen.evidence.has_state,
        "main_rows": seen.log.state.iteration + 1 if seen.log else 0,
        **seen.layout.names("results", "state"),
        "free_mb": found.free_mb,
        "repo_worktree_checks": found.checks,
    }


def _seconds(log: journal.Log | None) -> list[float]:
    """Seconds of a run of the check in the latest trials, the oldest first."""
    trials = islice(log.backwards("trial") if log else (), pace_warning.FEW + pace_warning.ROW)
    return [float(e.get("seconds") or 0) / max(1, int(e.get("runs") or 0)) for e in trials][::-1]


def _check_command(layout: Layout, verify: str, blockers: list[str]) -> None:
    """The check must still be there: its first program on PATH or in the repository, its scripts present."""
    from ..setup import evaluator_files

    if not verify:
        return
    import shutil

    for number, word in enumerate(evaluator_files.programs(verify)):
        if f"){word}" in verify or f"}}{word}" in verify or word.rpartition("/")[2] not in verify:
            continue  # the end of a word that a substitution begins; a file that `-m pytest` or `nox` may stand for
        if re.search(r"[$`*?#]", word) or _made(verify, word):
            continue  # what only the shell can tell
        word = os.path.expanduser(word)
        path = layout.root / word
        script = "/" in word or Path(word).suffix in (".py", ".sh", ".js", ".ts", ".rb", ".pl")
        if script and not path.exists() and not os.path.exists(word):
            blockers.append(f"verify names {word}, which is gone; restore it")
        elif number == 0 and not script and not shutil.which(word) and word not in _BUILTINS:
            blockers.append(f"verify starts {word}, which is not on PATH; install it")


def _made(verify: str, word: str) -> bool:
    """Whether the check makes `word` itself: a function, or a file named before it runs (`cc -o p a.c; ./p`)."""
    from ..setup import evaluator_files

    name = re.escape(word)
    function = rf"(?m)(?:^|[\s;&|]){name}[ \t]*\([ \t]*\)|\bfunction[ \t]+{name}(?!\S)"
    named = evaluator_files.words(verify).count(word) - evaluator_files.programs(verify).count(word)
    return named > 0 or re.search(function, verify) is not None


# Of bash too: that a check for bash is run by sh is said elsewhere.
_BUILTINS = frozenset(
    "echo printf test [ cd : . true false set export exec eval if for while case until command type read alias bg break"
    " continue exit fg getopts hash jobs kill pwd readonly return shift times trap ulimit umask unalias unset wait"
    " [[ builtin declare function let local mapfile popd pushd readarray select shopt source time typeset".split()
)


def _check_repos(
    layout: Layout, scopes: Mapping[str, str], warnings: list[str], blockers: list[str]
) -> list[dict[str, Any]]:
    checks = []
    for repo, pattern in scopes.items():
        item = inspect(layout, repo, pattern)
        checks.append(item.to_dict())
        where = warnings if item.problems == ("not a git repository",) else blockers
        where += [f"{repo}: {problem}" for problem in item.problems]
        if item.unexpected:
            warnings.append(f"{item.title}changes outside the scope: {listing(item.unexpected)}")
        if item.staged_artifacts:
            blockers.append(f"{item.title}artifacts are staged: {listing(item.staged_artifacts)}")
        if item.patterns and not item.problems and not _scope_exists(Path(repo), pattern):
            blockers.append(f"nothing in {repo} matches the scope {pattern}; it was deleted or the pattern is wrong")
    return checks


def _scope_exists(root: Path, pattern: str) -> bool:
    inside = scope.matcher(pattern)
    names = Repo(root).tracked(("**",))
    return any(inside(name) and os.path.lexists(root / name) for name in names) or any(
        inside(change.path) and change.code == "?" for change in Repo(root).changes()
    )
