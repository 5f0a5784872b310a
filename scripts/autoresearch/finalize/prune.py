"""What each kept experiment is worth today, and the result without those that are worth nothing.

Each is taken out of the final state by its reverse patch, three-way, and measured in turns against it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..kernel.core import changes, numbers
from ..kernel.core.errors import Refusal
from ..kernel.core.text import listing
from ..kernel.disk import evidence
from ..kernel.run import context, judge, measure
from ..kernel.run.context import Run
from ..kernel.run.measure import Arms, Bench
from ..noise import equivalence
from ..noise.equivalence import Cost
from . import recheck
from .final_plan import Group, Kept
from .githistory import History
from .recheck import Ends, Needs, Say

Contents = Mapping[str, str]  # repository -> commit or tree
FOLDER = "worth"  # of the captured output, in the evidence


@dataclass(frozen=True)
class Worth:
    """One kept experiment: the cost of the final state without it, what the guard says then, why neither is known."""

    iteration: int
    description: str
    cost: Cost
    guard: str = "-"
    problem: str = ""

    @property
    def is_nothing(self) -> bool:
        """Whether it may go."""
        return self.cost.none and self.guard != "fail" and not self.problem

    def to_dict(self) -> dict[str, Any]:
        """The row of the table."""
        return {
            "iteration": self.iteration,
            "description": self.description,
            "cost_without": self.cost.value,
            "interval": self.cost.interval,
            "runs": self.cost.runs,
            "guard": self.guard,
            "worth_nothing": self.is_nothing,
            "problem": self.problem or self.cost.problem,
        }


def without(histories: Mapping[str, History], kept: Sequence[Kept], gone: Collection[int]) -> dict[str, str]:
    """The tree of every repository without these experiments; raises `Refusal` where later ones build on one of them.

    The last is taken out first.
    """
    trees = {name: history.tree_of(history.head()) for name, history in histories.items()}
    for item in reversed(kept):
        for name, (base, tip) in item.spans.items() if item.iteration in gone else ():
            history = histories[name]
            back = history.patch(tip, base, evidence.PATCH_LIMIT)
            trees[name] = history.patched(trees[name], back)
            if not trees[name]:
                raise Refusal(
                    f"experiment {item.iteration} cannot be taken out, later ones build on it; expected one that "
                    "stands alone: leave it in, or take those out too"
                )
    return trees


class Scales:
    """A clean checkout of the final state in which states are weighed against it."""

    def __init__(self, run: Run, histories: Mapping[str, History], trees: Mapping[str, Path], say: Say) -> None:
        """`trees` are the checkouts, at HEAD of their repositories."""
        self._run, self._histories, self._trees, self._say = run, histories, trees, say
        self._full = {name: history.head() for name, history in histories.items()}
        folder = run.layout.evidence / FOLDER
        mark = f"worth-{os.getpid()}"
        self._bench = Bench(trees[str(run.layout.root)], folder, run.config, measure.limit_of(run.config, None), mark)

    def weigh(self, name: str, contents: Contents) -> tuple[Cost, str]:
        """The cost of a state, and what the guard says of it."""
        self._say(f"measuring without {name}")
        bench = replace(self._bench, folder=self._bench.folder / name.replace(" ", "").replace(",", "-"))
        commits = {repo: self._commit(repo, tree) for repo, tree in contents.items()}
        sides = judge.arms([(History(self._trees[repo]), commit, self._full[repo]) for repo, commit in commits.items()])
        cost = equivalence.cost(bench, Arms(sides.show_retained, sides.show_candidate), name)
        sides.show_retained()
        guard = "-"
        if cost.none and self._run.config.guard:
            guard = "pass" if measure.passes(bench, self._run.config.guard, "guard")[0] else "fail"
        sides.show_candidate()
        return cost, guard

    def _commit(self, repo: str, tree: str) -> str:
        return self._histories[repo].commit_tree(tree, self._full[repo], "without\n")


def table(scales: Scales, histories: Mapping[str, History], kept: Sequence[Kept]) -> list[Worth]:
    """The worth of each kept experiment, in their order."""
    found = []
    for item in kept:
        try:
            trees = without(histories, kept, [item.iteration])
        except Refusal:
            found.append(Worth(item.iteration, item.description, Cost(), problem="later experiments build on it"))
            continue
        cost, guard = scales.weigh(str(item.iteration), trees)
        found.append(Worth(item.iteration, item.description, cost, guard))
    return found


def pruned(
    scales: Scales, histories: Mapping[str, History], kept: Sequence[Kept], worth: Sequence[Worth]
) -> tuple[list[int], Cost]:
    """The experiments that go, and their joint cost: all that are worth nothing, as far as they are so together."""
    gone = sorted((item for item in worth if item.is_nothing), key=lambda item: item.cost.value or 0)
    while gone:
        named = [item.iteration for item in gone]
        try:
            cost, guard = scales.weigh(f"{listing(map(str, named), 9)} together", without(histories, kept, named))
            if Worth(0, "", cost, guard).is_nothing:
                return _more(scales, histories, kept, worth, (named, cost))
        except Refusal:
            pass
        gone.pop()  # the dearest one stays
    return [], Cost()


def _more(
    scales: Scales,
    histories: Mapping[str, History],
    kept: Sequence[Kept],
    worth: Sequence[Worth],
    found: tuple[list[int], Cost],
) -> tuple[list[int], Cost]:
    """Also those that could not be taken out alone, because only experiments that go built on them."""
    gone, joint = found
    for item in reversed([item for item in worth if item.problem]):
        named = sorted([*gone, item.iteration])
        try:
            cost, guard = scales.weigh(f"{listing(map(str, named), 9)} together", without(histories, kept, named))
        except Refusal:
            continue
        if Worth(0, "", cost, guard).is_nothing:
            gone, joint = named, cost
    return sorted(gone), joint


@dataclass(frozen=True)
class Pruning:
    """Which experiments go, the table of all of them, the cost of the result without them, and its exact number (None
    under noise)."""

    gone: tuple[int, ...] = ()
    worth: tuple[Worth, ...] = ()
    joint: Cost = field(default_factory=Cost)
    value: Decimal | None = None

    def to_dict(self) -> dict[str, Any]:
        """The keys `left_out`, `worth` and `joint` of an answer."""
        joint = Worth(0, "", self.joint).to_dict()
        told = {name: joint[name] for name in ("cost_without", "interval", "runs", "worth_nothing")}
        return {"left_out": list(self.gone), "worth": [item.to_dict() for item in self.worth], "joint": told}

    def note(self, run: Run) -> None:
        """Write the table down as evidence, for the report."""
        evidence.write_json(run.layout.evidence / evidence.WORTH, {"at": context.now(), **self.to_dict()})


def weighed(run: Run, histories: Mapping[str, History], kept: Sequence[Kept], needs: Needs, say: Say) -> Pruning:
    """The table, and which experiments may go; measured in clean checkouts that are gone afterwards."""
    with _scales(run, histories, needs, say) as scales:
        worth = table(scales, histories, kept)
        gone, cost = pruned(scales, histories, kept, worth)
        return Pruning(tuple(gone), tuple(worth), cost, _after(run, cost))


def valued(
    run: Run, histories: Mapping[str, History], kept: Sequence[Kept], needs: Needs, say: Say
) -> Mapping[str, Any]:
    """The table alone, noted as evidence; nothing is left out."""
    with _scales(run, histories, needs, say) as scales:
        found = Pruning((), tuple(table(scales, histories, kept)))
    found.note(run)
    return found.to_dict()


def lines(ends: Iterable[Ends]) -> int:
    """The lines that these ends differ in."""
    return sum(changes.lines(end.history.patch(end.base, end.tip, evidence.PATCH_LIMIT)) for end in ends)


def sentence(answer: Mapping[str, Any]) -> str:
    """What is told of a pruned branch: what went, how much smaller the change is, and the number."""
    gone, joint = answer["left_out"], answer["joint"]
    if not gone:
        return "every kept experiment is worth something today; nothing was left out"
    count = f"{len(gone)} experiment{'s' * (len(gone) != 1)} ({listing(map(str, gone), 9)})"
    size = f"{answer['lines']} changed lines instead of {answer['lines_of_all']}"
    cost = joint["cost_without"]
    if joint["worth_nothing"]:
        number = "the same number" if not cost or joint["interval"][0] != joint["interval"][1] else "a better number"
    else:
        number = f"a number worse by {numbers.plain(cost)}"
    return f"left out {count}: {size} at {number}"


def replayed(history: History, name: str, base: str, groups: Sequence[Group]) -> list[tuple[str, Group]]:
    """The tree after each group when their patches follow each other without the experiments that are left out;
    empty where they do not apply."""
    content, found = history.tree_of(base), []
    for group in groups:
        for item in (item for item in group if name in item.spans):
            content = history.patched(content, history.patch(*item.spans[name], evidence.PATCH_LIMIT))
            if not content:
                return []
        found.append((content, group))
    return found


def named(
    run: Run, histories: Mapping[str, History], kept: Sequence[Kept], gone: Sequence[int], needs: Needs, say: Say
) -> Pruning:
    """Experiments that the user wants out: their joint cost is measured and told, whatever it is."""
    if not gone:
        return Pruning()
    trees = without(histories, kept, gone)
    with _scales(run, histories, needs, say) as scales:
        cost, guard = scales.weigh(listing(map(str, gone), 9), trees)
    if cost.problem:
        raise Refusal(f"without {listing(map(str, gone), 9)} the check gives no number ({cost.problem}); leave it in")
    said = tuple(Worth(item.iteration, item.description, cost, guard) for item in kept if item.iteration in gone)
    return Pruning(tuple(gone), said, cost, _after(run, cost))


def _after(run: Run, cost: Cost) -> Decimal | None:
    if cost.value is None or run.config.noise.get("kind") == "noisy":
        return None
    return run.state.current_metric + cost.value * (1 if run.config.direction == "lower" else -1)


@contextmanager
def _scales(run: Run, histories: Mapping[str, History], needs: Needs, say: Say) -> Iterator[Scales]:
    name = recheck.checkout_named(run)
    if name:
        raise Refusal(
            f"the checks name the run's own checkout ({name}), expected ones that run in any; nothing was done"
        )
    ends = {repo: Ends(history, history.head(), history.head()) for repo, history in histories.items()}
    with recheck.checkouts(run, ends, say) as trees:
        recheck.furnish(run, trees[str(run.layout.root)], needs, say)
        yield Scales(run, histories, trees, say)
