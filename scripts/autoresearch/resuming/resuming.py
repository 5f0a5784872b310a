"""Reading what an earlier run left: the facts behind `resume_check`, and the repair of a snapshot from its log."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..kernel import ports
from ..kernel.core import config, fold, jsontext, supervise
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from ..kernel.core.rulings import Ruling
from ..kernel.core.text import listing, one_line
from ..kernel.disk import atomic, evidence, journal, locks, regular, snapshot
from ..kernel.disk.journal import Log
from ..kernel.disk.layout import Layout
from ..kernel.run import budget, context
from ..kernel.run.context import Run
from ..longlog import marked
from . import foreign_log, resume_rules
from .resume_rules import Evidence


@dataclass(frozen=True)
class FoundRun:
    """What is on disk: the files really used, the log where its rows can be read, and its comments in any case."""

    layout: Layout
    evidence: Evidence
    log: Log | None
    header: Mapping[str, str]

    @property
    def decision(self) -> Ruling:
        """What both files together allow."""
        return resume_rules.decide(self.evidence)


def examine(layout: Layout) -> FoundRun:
    """Read both files, whatever is wrong with them."""
    log, log_problem = _log(layout)
    header = log.header if log else _comments(layout.results)
    layout = context.located(layout, header.get("mode", ""))
    found, state_problem = _snapshot(layout)
    relation = _relation(found, log, state_problem)
    if relation == "diverged":  # a row may have been recorded between the two reads: the log is read after the snapshot
        log, log_problem = _log(layout)
        relation = _relation(found, log, state_problem)
    told = differences(found, log) if log and found and relation == "diverged" else ()
    files = layout.results.exists(), layout.state.exists()
    return FoundRun(layout, Evidence(*files, log_problem, state_problem, relation, told), log, header)


def _relation(found: Mapping[str, Any] | None, log: Log | None, problem: str) -> str:
    return snapshot.relation(found, log) if log and found is not None and not problem else ""


def _log(layout: Layout) -> tuple[Log | None, str]:
    try:
        log = journal.read(layout.results, marked.parser(layout.state))
        config.from_header(log.header)
        return log, ""
    except FileNotFoundError:
        return None, ""
    except (ValueError, OSError, Refusal) as error:
        return None, f"{error}{journal.REMEDY}"


def _snapshot(layout: Layout) -> tuple[Mapping[str, Any] | None, str]:
    try:
        found = snapshot.read(layout.state)
        if found is not None and isinstance(found.get("config"), dict):
            config.from_dict(found["config"])
        lacking = snapshot.lacking(found) if found is not None else ()
        return found, f"its state lacks {listing(lacking, 6)}" if lacking else ""
    except (ValueError, Refusal) as error:
        return None, str(error)


def _comments(path: Path) -> dict[str, str]:
    """The comment lines of the log alone, which hold also where its rows cannot be read; {} without a log."""
    header: dict[str, str] = {}
    try:
        for line in regular.read_bytes(path).decode("utf-8", "replace").split("\n"):
            if line[:1] == "#" and not line.startswith(journal.EVENT):
                journal.comment(line.rstrip("\r"), header)
    except OSError:
        pass
    return header


def differences(found: Mapping[str, Any], log: Log) -> tuple[str, ...]:
    """What a diverged snapshot says otherwise than the log: each field with both values."""
    state, mine = found["state"], log.state.to_dict()
    pairs = [(name, state[name], mine[name]) for name in fold.differing(state, log.state)]
    tag = found.get("run_tag")
    if not snapshot.same_tag(tag, log):
        pairs.append(("run_tag", tag, log.header["run_tag"]))
    return tuple(f"{name}: snapshot {_shown(theirs)}, log {_shown(ours)}" for name, theirs, ours in pairs)


def _shown(value: Any) -> str:
    return one_line(value if isinstance(value, str) else jsontext.dumps(value), 80)


def check(layout: Layout, write: bool) -> dict[str, Any]:
    """The answer of `resume_check`; with `write` the snapshot is rebuilt from a readable log."""
    seen = examine(layout)
    found, log, decision = seen.evidence, seen.log, seen.decision
    repaired = write and log is not None and decision.reason not in ("json_matches_tsv", resume_rules.FRESH)
    if repaired:
        log = repair(layout, log).log
    more = {resume_rules.FULL: _standing, resume_rules.FRESH: _branches}.get(decision.decision)
    return {
        "decision": decision.decision,
        "detail": decision.reason,
        "reasons": [*decision.sentences, *foreign_log.told(layout.results), *(more(layout, log) if more else ())],
        "has_results": found.has_results,
        "has_state": found.has_state,
        "repaired_state": bool(repaired),
        **seen.layout.names("results", "state"),
        "tsv_summary": summary(log),
    }


def _standing(layout: Layout, log: Log | None) -> tuple[str, ...]:
    """What whoever takes the run up has to know: that it is over, or what was left in the middle."""
    from ..kernel.system.gitcall import GitError

    try:
        run = context.assemble(layout, log) if log else context.load(layout)
        return (*_over(run), *untried(run))
    except (Refusal, GitError):
        return ()


def _branches(layout: Layout, _: Log | None) -> tuple[str, ...]:
    """Branches of earlier runs: their work is not in this checkout, and their names are taken."""
    from ..isolation.checkouts import Branches
    from ..kernel.system.git import GitError

    try:
        repo = Branches(layout.root)
        found = repo.own_branches() if repo.is_git() else []
    except GitError:
        return ()
    return (f"branches of earlier runs: {listing(found, 5)}; look before you take their names",) if found else ()


def _over(run: Run) -> tuple[str, ...]:
    verdict = supervise.judge(run.config, run.mode, run.state, budget.spent(run))
    if verdict.decision == supervise.RELAUNCH:
        return ()
    return (
        f"this run is over ({verdict.reason}: {verdict.detail}): more of the same is runtime_ctl start "
        "--iterations +20 or init_run --extend --iterations 20; another goal is a new run, whose start archives this "
        "one (--force, in background --fresh-start)",
    )


def untried(run: Run) -> tuple[str, ...]:
    """Sentences about what an interrupted session left: a trial in the middle, an edit in a measured run's scope."""
    return (*_interrupted(run), *_edited(run))


def _interrupted(run: Run) -> tuple[str, ...]:
    if not evidence.intent_path(run.layout.evidence).exists():
        return ()
    from ..kernel.run import intent  # with git and processes, which few questions need

    note = intent.read(run.layout.evidence)
    if note is None or locks.is_held(evidence.lock_path(run.layout.evidence)):
        return ()  # none, or one that is at work
    if note.row:
        return (f"trial {note.iteration} was decided but not written down: the next command finishes it",)
    return (
        f"trial {note.iteration} was interrupted before it was measured: run autoresearch_run_trial.py again before "
        "any other edit; it takes the edit up (git show, git diff) and measures it",
    )


def _edited(run: Run) -> tuple[str, ...]:
    if not run.config.measured:
        return ()
    from ..kernel.run import tree

    primary = str(run.layout.root)
    left = [path for item in tree.edits(run) for path in tree.named(item, item.inside, primary)]
    if not left:
        return ()
    queue = ports.first("session", "queue")
    what = "look at it; try it, or take it back with git restore, before another"
    if queue and queue.read(run.layout):
        what = "a session left it waiting; run autoresearch_run_trial.py --waiting before another"
    return (f"an untried edit lies in {listing(left, 3)}: {what}",)


def repair(layout: Layout, log: Log | None) -> Run:
    """Write the snapshot that the log tells; an unreadable or contradicting one is set aside as `.bak`."""
    assert log is not None
    layout = context.located(layout, log.header.get("mode", ""))
    with journal.locked(layout.results) as held:
        found = snapshot.tolerant(layout.state)
        diverged = found is None or snapshot.relation(found, held.log) == "diverged"
        if layout.state.exists() and diverged:
            atomic.set_aside(layout.state)
        lost = ("state", "supervisor") if diverged else ()
        keep = {key: value for key, value in (found or {}).items() if key not in lost}
        run = Run(layout, held.log, context.configuration(held.log, keep or None), keep or None)
        return context.save(run, held.log)


def summary(log: Log | None) -> dict[str, Any] | None:
    """The run in figures, for a question to the user."""
    if log is None:
        return None
    state = log.state
    return {
        "mode": log.header.get("mode", ""),
        "run_tag": log.header.get("run_tag", ""),
        "goal": log.header.get("goal", ""),
        "rows": log.count,
        "iteration": state.iteration,
        "baseline_metric": state.baseline_metric,
        "current_metric": state.current_metric,
        "best_metric": state.best_metric,
        "best_iteration": state.best_iteration,
        "last_status": state.last_status,
        "keeps": state.keeps,
        "discards": state.discards,
        "crashes": state.crashes,
        "current_labels": state.current_labels,
        "last_trial_labels": state.last_trial_labels,
        "main_rows": state.iteration + 1,
        "worker_rows": log.count - state.iteration - 1,
    }
