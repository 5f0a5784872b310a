"""From a run's branch to one a reviewer likes: the kept experiments alone, proven equal, measured again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..kernel.core.errors import Refusal
from ..kernel.core.text import listing
from ..kernel.disk import atomic, evidence
from ..kernel.disk.layout import Layout
from ..kernel.run import context, stale, tree
from ..kernel.run.context import Run
from ..kernel.system.gittrees import TreeEntry
from ..search import past
from . import final_plan as planning
from . import prune, pull_request, recheck, total_due, true_total
from .final_plan import Group, Kept
from .githistory import History
from .recheck import CheckedBranch, Ends, Needs, Say


@dataclass(frozen=True)
class BranchRequest:
    """What is asked for: the branch's name, how experiments become commits, where it starts ("": the run's start)."""

    branch: str
    squash: bool = False
    group: str = "experiment"
    base: str = ""
    needs: Needs = field(default_factory=Needs)
    prune: bool = False  # without the experiments that are worth nothing today
    without: tuple[int, ...] = ()  # without these


@dataclass(frozen=True)
class Built:
    """One repository's new commits, not yet on a branch: (commit, experiments) oldest first."""

    ends: Ends
    commits: tuple[tuple[str, Group], ...]


def finalize(layout: Layout, wish: BranchRequest, say: Say) -> Mapping[str, Any]:
    """Make the branch in every repository of the run, or raise `Refusal` with none made.

    The user's branch, index and tree are never touched: commits are built from tree objects, checks run in
    worktrees that are removed again.
    """
    context.load(layout)
    with stale.held(layout, "a trial is running here, expected none; wait for it and repeat"):
        run = context.load(layout)
        _refuse_unready(run)
        return _finalize(run, wish, say)


def _finalize(run: Run, wish: BranchRequest, say: Say) -> Mapping[str, Any]:
    histories = _histories(run)
    for history in histories.values():
        problem = history.branch_problem(wish.branch)
        if problem:
            raise Refusal(
                f"branch {wish.branch[:80]!r} {problem} in {history.root}, expected a new one; choose another name"
            )
    say("reading the run's history")
    starts = _starts(run, histories)
    kept = _kept(run, histories, starts)
    bases = {name: _base(history, wish, starts[name]) for name, history in histories.items()}
    final = {name: history.head() for name, history in histories.items()}
    pruning = _pruning(run, wish, histories, kept, say)
    if pruning.gone:
        trees = prune.without(histories, kept, pruning.gone)
        final = {name: history.commit_tree(trees[name], final[name], "pruned\n") for name, history in histories.items()}
        kept = tuple(item for item in kept if item.iteration not in pruning.gone)
        wish = replace(wish, needs=replace(wish.needs, expected=pruning.value))
    say("building the branch")
    ends = {name: Ends(history, bases[name], bases[name], starts[name]) for name, history in histories.items()}
    built = _built(run, wish, kept, ends)
    if pruning.gone or planning.taken_back(run.log.events) or past.lines_of(run.log.events):
        built = _exactly(run, built, final)
    for name, item in built.items():
        _prove(item, starts[name], wish.base, final[name])
    outcome = recheck.recheck(run, {name: item.ends for name, item in built.items()}, wish.needs, say)
    _make_branches(wish.branch, built)
    answer = _answer(run, wish, built, outcome)
    if wish.prune or wish.without:
        wholes = {name: Ends(history, starts[name], history.head()) for name, history in histories.items()}
        made = [item.ends for item in built.values()]
        answer.update(pruning.to_dict(), lines=prune.lines(made), lines_of_all=prune.lines(wholes.values()))
        answer["pruned"] = prune.sentence(answer)
    elif run.config.measured:
        answer["total"] = _total(run, wish.needs, say)
    text = pull_request.text(run.config, run.log.header, kept, answer)
    atomic.replace(run.layout.evidence / evidence.PULL_REQUEST, text)
    return answer


def _total(run: Run, needs: Needs, say: Say) -> Mapping[str, Any]:
    """The true total, measured unless it is known; where it cannot be, why: the branch is made all the same."""
    found = total_due.known(run)
    if found and not total_due.is_due(run) and "problem" not in found.get("own", {}):
        return found
    try:
        return true_total.noted(run, needs, say)
    except Refusal as refusal:
        return {"message": f"the total was not measured: {refusal}"}


def _pruning(
    run: Run, wish: BranchRequest, histories: Mapping[str, History], kept: Sequence[Kept], say: Say
) -> prune.Pruning:
    """What goes: what was named, or what is worth nothing today."""
    unknown = set(wish.without) - {item.iteration for item in kept}
    if unknown:
        raise Refusal(f"{listing(map(str, sorted(unknown)))} was not kept, expected kept experiments; see the report")
    if sum(map(bool, (wish.base, wish.prune, wish.without))) > 1:
        raise Refusal("--base, --prune and --without do not go together, expected one of them; leave the others out")
    if wish.prune or wish.without:
        _refuse_reported(run)
    if wish.prune:
        found = prune.weighed(run, histories, kept, wish.needs, say)
        found.note(run)
    else:
        found = prune.named(run, histories, kept, wish.without, wish.needs, say)
    if len(found.gone) == len(kept):
        raise Refusal("nothing would be left, expected at least one experiment that stays; there is no branch to make")
    return found


def _exactly(run: Run, built: Mapping[str, Built], final: Mapping[str, str]) -> dict[str, Built]:
    """Where the remaining experiments, each as it was, do not add up to the pruned content: their patches one after
    the other, else one commit."""
    done = {}
    for name, item in built.items():
        history, base, commits = item.ends.history, item.ends.base, item.commits
        wanted = history.tree_of(final[name])
        if history.tree_of(item.ends.tip) != wanted:
            groups = [group for _, group in commits]
            steps = prune.replayed(history, name, base, groups)
            if not steps or steps[-1][0] != wanted:
                steps = [(wanted, tuple(kept for group in groups for kept in group))]
            commits = _made(run, history, base, steps)
        done[name] = Built(replace(item.ends, tip=commits[-1][0] if commits else base), commits)
    return done


def worth(layout: Layout, needs: Needs, say: Say) -> Mapping[str, Any]:
    """What each kept experiment is worth today: measured, noted as evidence, no branch made. Raises `Refusal`."""
    context.load(layout)
    with stale.held(layout, "a trial is running here, expected none; wait for it and repeat"):
        run = context.load(layout)
        _refuse_unready(run)
        _refuse_reported(run)
        histories = _histories(run)
        return prune.valued(run, histories, _kept(run, histories, _starts(run, histories)), needs, say)


def _refuse_reported(run: Run) -> None:
    if not run.config.measured:
        raise Refusal(
            "this run was reported, not measured, so no experiment can be weighed alone, expected a measured run; "
            "leave --prune, --without and --worth out"
        )


def _refuse_unready(run: Run) -> None:
    if run.state.line:
        raise Refusal(
            f"the side line {run.state.line} is open, expected the main one; autoresearch_line.py ends it when the run "
            "is over, or when the line has had its trials"
        )
    if evidence.intent_path(run.layout.evidence).exists():
        raise Refusal(
            "a trial was interrupted and is unfinished, expected none; autoresearch_run_trial.py finishes or undoes it"
        )
    primary = str(run.layout.root)
    dirty = [p for item in tree.edits(run) for p in tree.named(item, (*item.inside, *item.outside), primary)]
    if dirty:
        raise Refusal(
            f"uncommitted changes in {listing(dirty)}, expected the retained state alone; try them as a trial "
            "(autoresearch_run_trial.py), commit them elsewhere or git stash them"
        )
    if run.state.keeps == 0:
        raise Refusal("no experiment was kept, expected at least one; there is nothing to make a branch of")


def _histories(run: Run) -> dict[str, History]:
    """The repositories of the run, without those in which nobody has committed anything yet."""
    found = {name: History(where) for name, (where, _) in run.trees().items()}
    return {name: history for name, history in found.items() if history.commit_of("HEAD")}


def _starts(run: Run, histories: Mapping[str, History]) -> Mapping[str, str]:
    """Where each repository was at the baseline; every one must be known and still there."""
    starts = planning.starts(run.log.events) if run.config.measured else _reported_starts(run, histories)
    for name, history in histories.items():
        if not history.exists(starts.get(name, "-")):
            raise Refusal(
                f"the log does not say at which commit {name} was measured first, expected a run begun by "
                "autoresearch_init_run.py in this clone; cherry-pick the kept commits by hand"
            )
    return starts


def _reported_starts(run: Run, histories: Mapping[str, History]) -> Mapping[str, str]:
    """The baseline row's commit; of a companion, for which a log has no column, what the run retained there, else where
    it stands: then the run has made no commit in it."""
    noted = {**run.state.last_repo_commits, str(run.layout.root): run.log.rows[0].commit}
    return {name: history.commit_of(noted.get(name) or "HEAD") for name, history in histories.items()}


def _kept(run: Run, histories: Mapping[str, History], starts: Mapping[str, str]) -> tuple[Kept, ...]:
    chains = {name: history.steps(starts[name], history.head()) for name, history in histories.items()}
    if not run.config.measured:
        return planning.reported(run.log.rows, run.log.events, chains, str(run.layout.root))
    found = planning.kept(run.log.rows, run.log.events, run.tag, chains)
    if not found:
        raise Refusal(
            "every kept experiment was taken back, expected at least one; there is nothing to make a branch of"
        )
    return found


def _base(history: History, wish: BranchRequest, start: str) -> str:
    if not wish.base:
        return start
    found = history.commit_of(wish.base)
    if not found:
        raise Refusal(
            f"--base {wish.base[:80]!r} names no commit in {history.root}, expected one that every repository of the "
            "run has; git fetch it or leave --base out"
        )
    return found


def _built(run: Run, wish: BranchRequest, kept: Sequence[Kept], ends: Mapping[str, Ends]) -> dict[str, Built]:
    """The commits of every repository; an experiment that changed nothing there has none there."""
    changes = {
        name: {k.iteration: end.history.entries(*k.spans[name]) for k in kept if name in k.spans}
        for name, end in ends.items()
    }
    files = {
        k.iteration: frozenset(f"{name}:{e.path}" for name in k.spans for e in changes[name][k.iteration]) for k in kept
    }
    groups = planning.grouped(kept, files, wish.squash, wish.group)
    return {
        name: Built(replace(end, tip=commits[-1][0] if commits else end.base), commits)
        for name, end in ends.items()
        for commits in [_commits(run, end.history, end.base, groups, changes[name])]
    }


def _commits(
    run: Run, history: History, base: str, groups: Sequence[Group], changes: Mapping[int, Sequence[TreeEntry]]
) -> tuple[tuple[str, Group], ...]:
    content, steps = history.tree_of(base), []
    for group in groups:
        entries = planning.merged(changes.get(item.iteration, ()) for item in group)
        content = history.overlaid(content, entries) if entries else content
        steps.append((content, group))
    return _made(run, history, base, steps)


def _made(run: Run, history: History, base: str, steps: Sequence[tuple[str, Group]]) -> tuple[tuple[str, Group], ...]:
    """A commit for each tree that differs from the one before it."""
    parent, content = base, history.tree_of(base)
    made = []
    for after, group in steps:
        if after != content:
            text = planning.message(group, run.config.metric, run.config.direction, run.tag)
            parent, content = history.commit_tree(after, parent, text), after
            made.append((parent, group))
    return tuple(made)


def _prove(item: Built, start: str, base: str, head: str) -> None:
    """Refuse unless the branch changes its base exactly as `head` changes the start: paths, modes and content."""
    history, ends = item.ends.history, item.ends
    wanted = set(history.entries(start, head))
    if ends.base != start:
        touched = [entry.path for entry in wanted]
        planning.refuse_overlap(touched, [e.path for e in history.entries(start, ends.base)], base)
    same_tree = ends.base != start or history.tree_of(ends.tip) == history.tree_of(head)
    if not same_tree or set(history.entries(ends.base, ends.tip)) != wanted:
        raise Refusal(
            f"the branch would not hold what the run retained in {history.root}"
            + (f" ({base} has files where the run has folders, or the other way round)" if base else "")
            + ", expected equal content; leave --base out, and merge the finished branch by hand"
        )


def _make_branches(name: str, built: Mapping[str, Built]) -> None:
    """The branch in all repositories or in none."""
    made: list[Ends] = []
    try:
        for item in built.values():
            item.ends.history.create_branch(name, item.ends.tip)
            made.append(item.ends)
    except BaseException:
        for ends in made:
            ends.history.delete_branch(name, ends.tip)
        raise


def _answer(run: Run, wish: BranchRequest, built: Mapping[str, Built], outcome: CheckedBranch) -> dict[str, Any]:
    """What was made."""
    primary = built[str(run.layout.root)]
    shown = {name: _shown(run, item) for name, item in built.items()}
    return {
        "branch": wish.branch,
        "base": primary.ends.base,
        "base_moved": primary.ends.base != primary.ends.start,
        "head": primary.ends.tip,
        "commits": shown[str(run.layout.root)],
        "tree_equal": True,
        "baseline_metric": run.state.baseline_metric,
        "retained_metric": run.state.claimed,
        "metric": outcome.to_dict(run.state.current_metric),
        "guard": outcome.guard,
        "confirm": outcome.confirm,
        "companions": {name: shown[name] for name in shown if name != str(run.layout.root)},
        "pull_request_path": str(run.layout.evidence / evidence.PULL_REQUEST),
    }


def _shown(run: Run, item: Built) -> list[dict[str, Any]]:
    return [
        {
            "commit": commit,
            "subject": planning.message(group, run.config.metric, run.config.direction, run.tag).split("\n", 1)[0],
            "iterations": [kept.iteration for kept in group],
            "before": group[0].before,
            "after": group[-1].after,
        }
        for commit, group in item.commits
    ]
