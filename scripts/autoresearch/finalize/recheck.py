"""Verify, guard and confirm once more, on clean checkouts of a finished branch, and their numbers compared."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..kernel.core import artifacts, decision, numbers, timelimit
from ..kernel.core.errors import Refusal
from ..kernel.core.text import listing, one_line
from ..kernel.disk import hashes
from ..kernel.run import evaluator_lock, judge, measure, tempfolder
from ..kernel.run.context import Run
from ..kernel.run.measure import Arms, Bench
from ..kernel.system import process
from ..noise import required, rule
from ..setup import skill_paths
from .githistory import GitError, History

Say = Callable[[str], None]
PASSED, FAILED, NOT_RUN, NONE = "pass", "fail", "not run", "-"
# Of all that is untracked, what says nothing about a failed check.
_NOISE = ("__pycache__/", ".pytest_cache/", ".mypy_cache/", ".ruff_cache/", ".hypothesis/")


@dataclass(frozen=True)
class Ends:
    """One repository of the branch: its checkout, the commit the branch starts from, the one it ends at, and the one
    the run started from."""

    history: History
    base: str
    tip: str
    start: str = ""


@dataclass(frozen=True)
class Needs:
    """What a clean checkout lacks: paths to link from the run's checkout, a command to run first; and the seconds that
    a total may take of each command, 0 for the usual ones."""

    links: tuple[str, ...] = ()
    setup: str = ""
    seconds: float = 0.0
    expected: Decimal | None = None  # the exact number, where it is not the run's retained one


@dataclass(frozen=True)
class CheckedBranch:
    """What the checks said on the clean checkout.

    `verify` is pass or not run, with the reason; `value` is the metric there, `base_value` the metric of its base
    when that was measured too, `runs` the runs of verify.
    """

    verify: str
    reason: str
    value: Decimal | None = None
    base_value: Decimal | None = None
    interval: tuple[Decimal, Decimal] | None = None
    runs: int = 0
    guard: str = NONE
    confirm: str = NONE

    def to_dict(self, retained: Decimal) -> dict[str, Any]:
        """The `metric` object of the answer."""
        return {
            "status": self.verify,
            "reason": self.reason,
            "retained": retained,
            "measured": self.value,
            "base_measured": self.base_value,
            "interval": self.interval,
            "runs": self.runs,
        }


def recheck(run: Run, ends: Mapping[str, Ends], needs: Needs, say: Say) -> CheckedBranch:
    """Run the checks of `run` on the branch. Raises `Refusal` when they contradict what the run measured."""
    if not run.config.verify:
        return CheckedBranch(NOT_RUN, "the run was reported and names no check, so nobody vouches for its numbers")
    named = checkout_named(run)
    if named:
        reason = f"the checks name the run's own checkout ({named}), so they would not look at the branch"
        guard, confirm = (NOT_RUN if command else NONE for command in (run.config.guard, run.config.confirm))
        return CheckedBranch(NOT_RUN, reason, guard=guard, confirm=confirm)
    with checkouts(run, ends, say) as trees:
        work = trees[str(run.layout.root)]
        furnish(run, work, needs, say)
        folder = run.layout.evidence / "finalize"
        bench = Bench(work, folder, run.config, measure.limit_of(run.config, None), f"finalize-{os.getpid()}")
        found = _measured(run, bench, ends, trees, needs, say)
        if found.verify == NOT_RUN:
            found = replace(found, reason=found.reason + _lacking(run, work))
        return _other_checks(run, bench, found, say)


def checkout_named(run: Run) -> str:
    """The run's checkout when a check names it by its path, so that it looks at no other; else ""."""
    listed = skill_paths.commands(run.config)
    trees = dict.fromkeys((*(tree for tree, _ in run.trees().values()), run.layout.root))
    return next((str(tree) for tree in trees if any(skill_paths.names_checkout(text, tree) for text in listed)), "")


@contextmanager
def checkouts(run: Run, ends: Mapping[str, Ends], say: Say) -> Iterator[Mapping[str, Path]]:
    """Detached worktrees of the branch, placed to each other as the run's checkouts are, and gone afterwards."""
    say("checking the branch out beside yours")
    with tempfolder.folder("finalize") as top:
        yield from _checked_out(ends, top)


def _checked_out(ends: Mapping[str, Ends], top: Path) -> Iterator[Mapping[str, Path]]:
    common = os.path.commonpath([end.history.root.parent for end in ends.values()])
    trees = {name: top / os.path.relpath(end.history.root, common) for name, end in ends.items()}
    try:
        for name, end in ends.items():
            trees[name].parent.mkdir(parents=True, exist_ok=True)
            end.history.add_detached_worktree(trees[name], end.tip)
        yield trees
    finally:
        for name, end in ends.items():
            _remove(end.history, trees[name])


def _remove(history: History, tree: Path) -> None:
    """Remove a worktree; one that was never made is no reason to prune, which would hit the user's own ones too."""
    try:
        if tree.exists():
            history.remove_worktree(tree)
    except GitError:
        pass  # its folder goes all the same, and git forgets it by itself


def furnish(run: Run, work: Path, needs: Needs, say: Say) -> None:
    """Links, the run's own untracked check files (if they are what they were), then the set-up command."""
    for name in needs.links:
        source, target = run.tree / name, work / name
        if not source.exists() or os.path.lexists(target) or not Path(os.path.realpath(target)).is_relative_to(work):
            problem = "is in the branch already" if os.path.lexists(target) else f"is not in {run.tree}"
            raise Refusal(f"--link {name} {problem}, expected an untracked file or folder of the checkout; correct it")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source)
    skill_paths.lay(run.tree, work, run.config)
    lock = evaluator_lock.known(run.log)
    absent = [name for name in lock if not os.path.isabs(name) and not (work / name).exists()]
    for name, digest in hashes.digests(run.tree, absent).items():
        if digest and digest == lock[name]:
            _copy(run.tree / name, work / name)
    if needs.setup:
        say(f"setting the checkout up: {one_line(needs.setup, 60)}")
        done = process.run_shell(needs.setup, work, timelimit.FIRST, {}, f"finalize-setup-{os.getpid()}")
        if done.exit_code != 0:
            last = one_line(done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2], 160)
            raise Refusal(f"--setup failed in the clean checkout ({last or done.exit_code}), expected exit code 0")


def _copy(source: Path, target: Path) -> None:
    import shutil

    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def arms_of(ends: Mapping[str, Ends], trees: Mapping[str, Path]) -> Arms:
    """The tip of each repository as the candidate, its base as the retained content, in scratch worktrees."""
    return judge.arms([(History(trees[name]), end.base, end.tip) for name, end in ends.items()])


def _measured(
    run: Run, bench: Bench, ends: Mapping[str, Ends], trees: Mapping[str, Path], needs: Needs, say: Say
) -> CheckedBranch:
    """The metric of the branch: equal where it is exact, better than the branch's base where it is noisy."""
    moved = any(end.start and end.base != end.start for end in ends.values())
    say(f"measuring on the clean checkout: {one_line(run.config.verify, 60)}")
    arms = arms_of(ends, trees)
    found = rule.measured(bench, arms, run.state.baseline_metric, bench.mark)
    arms.show_candidate()
    if found.value is None:
        return CheckedBranch(NOT_RUN, found.problem, runs=found.runs)
    outcome = CheckedBranch(PASSED, "", found.value, None, found.interval, found.runs)
    missed = required.missed(run.config, found)
    if missed:
        raise _contradiction(f"a required number does not hold on the branch ({missed})", run, bench.tree)
    if found.improves is not None:
        return _noisy(run, outcome, found.improves, found.reason, bench)
    why = "which has moved since" if moved else "" if run.config.measured else "measured here, the run was reported"
    return _against_base(run, outcome, bench, arms, why) if why else _exact(run, outcome, bench, needs)


def _noisy(run: Run, outcome: CheckedBranch, improves: bool, reason: str, bench: Bench) -> CheckedBranch:
    if not improves:
        raise _contradiction(f"the branch is not measurably better than its base ({reason})", run, bench.tree)
    return replace(outcome, reason=f"better than its base: {reason}")


def _exact(run: Run, outcome: CheckedBranch, bench: Bench, needs: Needs) -> CheckedBranch:
    retained = run.state.current_metric if needs.expected is None else needs.expected
    assert outcome.value is not None
    if outcome.value != retained:
        raise _contradiction(
            f"the metric is {numbers.plain(outcome.value)} on the branch, the run retained {numbers.plain(retained)}",
            run,
            bench.tree,
        )
    return replace(outcome, reason="equal to the run's")


def _against_base(run: Run, outcome: CheckedBranch, bench: Bench, arms: Arms, why: str) -> CheckedBranch:
    """On a base that has moved, and after a run whose numbers were reported, only its own number is compared with."""
    arms.show_retained()
    base = measure.verify(bench, "base-1")
    arms.show_candidate()
    if base.value is None:
        return replace(outcome, runs=2, reason=f"the base gives no number: {base.problem}")
    assert outcome.value is not None
    better = decision.decide(run.config.direction, base.value, outcome.value, "-", False).improved
    shown = f"{numbers.plain(outcome.value)}, and {numbers.plain(base.value)} on its base"
    if not better:
        raise _contradiction(f"the metric is {shown}: no gain there", run, bench.tree)
    return replace(outcome, base_value=base.value, runs=2, reason=f"better than its base, {why}")


def _other_checks(run: Run, bench: Bench, found: CheckedBranch, say: Say) -> CheckedBranch:
    """Guard and confirm. A failure counts only where verify ran: else the checkout lacks something."""
    for name, command in (("guard", run.config.guard), ("confirm", run.config.confirm)):
        if not command:
            continue
        say(f"running {name} on the clean checkout")
        # What the held-out check prints is kept out of the evidence that an agent may read.
        with tempfolder.folder("confirm") as hidden:
            where = bench if name == "guard" else replace(bench, folder=hidden)
            passed, problem, _ = measure.passes(where, command, name)
        absent = problem.startswith(("exit code 126", "exit code 127"))
        if not passed and found.verify == PASSED and not absent:
            told = problem if name == "guard" else "its output stays hidden"
            raise _contradiction(f"{name} fails on the branch ({told})", run, bench.tree)
        state = PASSED if passed else NOT_RUN
        found = replace(found, guard=state) if name == "guard" else replace(found, confirm=state)
    return found


def _contradiction(what: str, run: Run, work: Path) -> Refusal:
    return Refusal(
        f"{what}; expected the run's result again, so no branch was made{_lacking(run, work) or ': repeat the command'}"
    )


def _lacking(run: Run, work: Path) -> str:
    """What the run's checkout has that the branch has not: the likely reason for a check that fails there."""
    ours = (name for name in History(run.tree).untracked() if not artifacts.is_owned(name, untracked=True))
    absent = [name for name in ours if not name.endswith(_NOISE) and not os.path.lexists(work / name.rstrip("/"))]
    changed = [change.path for change in History(run.tree).changes() if change.code != "?"]
    text = ""
    if absent:
        text += f"; the run's checkout also has {listing(absent)} (untracked): --link PATH lays one beside the branch, "
        text += "--setup 'COMMAND' makes it there"
    if changed:
        text += f"; uncommitted changes outside the scope were measured with the run: {listing(changed)}"
    return text
