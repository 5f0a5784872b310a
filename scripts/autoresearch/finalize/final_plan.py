"""Planning a clean branch: which commits of a run were kept, whether its history holds nothing else, what to say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from ..kernel.core import numbers
from ..kernel.core.errors import Refusal
from ..kernel.core.rows import Row
from ..kernel.core.text import block, listing, one_line
from ..kernel.system.gittrees import TreeEntry
from ..search import partly, past

SUBJECT_LIMIT = 72
Events = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class HistoryCommit:
    """One commit of a history: ids of itself, its parents and its tree, and what its trailers say ("" for none)."""

    commit: str
    parents: tuple[str, ...]
    tree: str
    run: str = ""
    iteration: str = ""
    takes_back: str = ""  # `RUN#N` of a commit that the user's word made


@dataclass(frozen=True)
class Kept:
    """One kept experiment: its figures, its words, and from which commit to which it led, by repository."""

    iteration: int
    before: Decimal
    after: Decimal
    guard: str
    description: str
    hypothesis: str
    interval: tuple[Decimal, Decimal] | None
    spans: Mapping[str, tuple[str, str]]


Group = tuple[Kept, ...]


def starts(events: Events) -> Mapping[str, str]:
    """The commit each repository was at when the baseline was measured; empty for a log that does not say."""
    return _heads(events).get(0, {})


def _heads(events: Events) -> dict[int, Mapping[str, str]]:
    found = (e for e in events if e.get("kind") == "heads" and isinstance(e.get("heads"), dict))
    return {e["iteration"]: e["heads"] for e in found if isinstance(e.get("iteration"), int)}


def kept(
    rows: Iterable[Row], events: Events, tag: str, chains: Mapping[str, Sequence[HistoryCommit]]
) -> tuple[Kept, ...]:
    """The kept experiments in their order.

    `chains` is the first-parent history by repository, from the baseline's commit (included) to HEAD. Raises
    `Refusal` when a commit on it belongs to no experiment of the run, when the log names a commit that is not on it,
    or when an experiment that was not kept left something behind.
    """
    for steps in chains.values():
        _refuse_broken(steps)
    rows = list(rows)
    heads, at = _heads(events), dict.fromkeys(chains, 0)
    found = []
    gone, lines = taken_back(events), past.lines_of(events)
    fallen = {*gone.values(), *past.left(rows, events)}
    for row in rows:
        if not row.is_main or row.iteration == 0:
            continue
        own = _Own(tag, gone.get(row.iteration, 0), row.iteration in lines)
        spans = _advance(row, heads.get(row.iteration, {}), own, chains, at)
        if row.status == "keep" and row.iteration not in fallen:
            found.append(_kept(row, events, spans))
    for repo, steps in chains.items():
        if at[repo] != len(steps) - 1:
            raise _foreign(steps[at[repo] + 1], "after the last experiment")
    return tuple(found)


def reported(
    rows: Iterable[Row], events: Events, chains: Mapping[str, Sequence[HistoryCommit]], primary: str
) -> tuple[Kept, ...]:
    """The kept experiments of a run whose rows were reported: each led from the one before to the commit of its row.

    Raises `Refusal` as `kept` does. Commits are not told apart by trailers, for another tool may have made them.
    """
    for steps in chains.values():
        _refuse_broken(steps)
    steps, at, found = chains[primary], 0, list[Kept]()
    for row in rows:
        if row.is_main and row.iteration and row.status == "keep":
            short = [replace(step, commit=step.commit[: len(row.commit)]) for step in steps]
            end = _position(short, row.commit, row.iteration)
            found.append(_kept(row, events, {primary: (steps[at].commit, steps[end].commit)}))
            at = end
    for name, chain in chains.items():
        last = at if name == primary else 0
        if chain[-1].tree != chain[last].tree:
            raise _foreign(chain[last + 1], "after the last experiment")
    return tuple(found)


def _refuse_broken(steps: Sequence[HistoryCommit]) -> None:
    """Every commit must be the only child of the one before it."""
    for before, step in zip(steps, steps[1:]):
        if step.parents != (before.commit,):
            raise Refusal(
                f"the history between the baseline {steps[0].commit[:9]} and {steps[-1].commit[:9]} is not a straight "
                f"line ({step.commit[:9]} breaks it), expected only the run's commits; check out the run's branch as "
                "the run left it, then repeat"
            )


def taken_back(events: Events) -> dict[int, int]:
    """Which kept iteration each drift is without, by the user's word."""
    found = (event for event in events if event.get("kind") == "taken_back")
    return {event["iteration"]: event["of"] for event in found if {"iteration", "of"} <= set(event)}


@dataclass(frozen=True)
class _Own:
    """Which commits before a row are the run's: its experiments, and the revert of the one that was taken back.

    `moves`: the row is a step of a side line, which goes to another content.
    """

    tag: str
    gone: int = 0
    moves: bool = False

    def holds(self, step: HistoryCommit, iteration: int) -> bool:
        """Whether the run made this commit for that iteration."""
        if self.gone and step.takes_back == f"{self.tag}#{self.gone}":
            return True
        return step.run == self.tag and re.fullmatch(rf"{iteration}[a-z]*", step.iteration) is not None


def _advance(
    row: Row, heads: Mapping[str, str], own: _Own, chains: Mapping[str, Sequence[HistoryCommit]], at: dict[str, int]
) -> dict[str, tuple[str, str]]:
    """Follow one row through every repository; returns where a kept one led."""
    spans = {}
    for repo, steps in chains.items():
        start = at[repo]
        end = _position(steps, heads.get(repo, steps[start].commit), row.iteration)
        for step in steps[start + 1 : end + 1]:
            if not own.holds(step, row.iteration):
                raise _foreign(step, f"before iteration {row.iteration} was recorded")
        if row.status == "keep" and end > start:
            spans[repo] = (steps[start].commit, steps[end].commit)
        elif steps[end].tree != steps[start].tree and not (own.gone or own.moves):
            raise Refusal(
                f"iteration {row.iteration} ({row.status}) left its content on the branch, expected it undone; "
                "compare git log with research-results.tsv and ask the user"
            )
        at[repo] = end
    return spans


def _position(steps: Sequence[HistoryCommit], commit: str, iteration: int) -> int:
    for number, step in enumerate(steps):
        if step.commit == commit:
            return number
    raise Refusal(
        f"iteration {iteration} ended at {commit[:9]}, which is not in the history of HEAD, expected the run's own "
        "branch checked out; git switch to it, then repeat"
    )


def _foreign(step: HistoryCommit, when: str) -> Refusal:
    return Refusal(
        f"commit {step.commit[:9]} was made by somebody else {when}, expected only the run's experiments, so what was "
        "measured cannot be taken apart from it; cherry-pick the kept commits (git log --grep '^experiment:') by hand"
    )


def _kept(row: Row, events: Events, spans: Mapping[str, tuple[str, str]]) -> Kept:
    if not spans:
        raise Refusal(
            f"iteration {row.iteration} was kept but the log does not say at which commit, expected a measured keep; "
            "cherry-pick the kept commits by hand"
        )
    assert row.metric is not None
    trial = next((e for e in events if e.get("kind") == "trial" and e.get("iteration") == row.iteration), {})
    delta = Decimal(row.delta) if numbers.is_number(row.delta) else Decimal(0)
    ends = trial.get("interval")
    return Kept(
        iteration=row.iteration,
        before=numbers.difference(row.metric, delta),
        after=row.metric,
        guard=row.guard,
        description=row.description,
        hypothesis=partly.of_the_whole(trial, str(trial.get("hypothesis") or "")),
        interval=(Decimal(ends[0]), Decimal(ends[1])) if ends else None,
        spans=spans,
    )


def grouped(found: Sequence[Kept], files: Mapping[int, frozenset[str]], squash: bool, how: str) -> tuple[Group, ...]:
    """Which experiments become one commit.

    Only neighbours are joined, so each commit holds a state that was measured. With `files` those that touch the same
    files, or a part of them, become one. `files` are the touched paths by iteration.
    """
    if squash:
        return (tuple(found),)
    groups: list[list[Kept]] = []
    touched: frozenset[str] = frozenset()
    for item in found:
        mine = files[item.iteration]
        if how == "files" and groups and (mine <= touched or touched <= mine):
            groups[-1].append(item)
            touched |= mine
        else:
            groups.append([item])
            touched = mine
    return tuple(tuple(group) for group in groups)


def merged(changes: Iterable[Sequence[TreeEntry]]) -> tuple[TreeEntry, ...]:
    """Several changes after one another as one; what comes later wins."""
    return tuple({entry.path: entry for change in changes for entry in change}.values())


def refuse_overlap(touched: Iterable[str], moved: Iterable[str], base: str) -> None:
    """Refuse a base on which the run's own files are not what the run started from."""
    both = sorted(set(touched) & set(moved))
    if both:
        raise Refusal(
            f"{base} differs from the run's start in files that the run changed: {listing(both)}; expected a base that "
            "leaves them alone, for a merge of the two was never measured: leave --base out, and merge or rebase the "
            "finished branch by hand"
        )


def change(before: Decimal, after: Decimal) -> str:
    """`47 -> 38 (-9, -19.1%)`."""
    delta = numbers.difference(after, before)
    share = f", {float(delta / abs(before)):+.1%}" if before else ""
    return f"{numbers.plain(before)} -> {numbers.plain(after)} ({numbers.signed(delta)}{share})"


def message(group: Group, metric: str, direction: str, tag: str) -> str:
    """The commit message: what was done, why it should help, the numbers before and after."""
    first, last = group[0], group[-1]
    name = one_line(metric, 60) or "metric"
    total = f"{name}: {change(first.before, last.after)}, {direction} is better"
    if len(group) == 1:
        head, rest = _subject(first.description or f"experiment {first.iteration}")
        parts = [head, rest, _wrapped(first.hypothesis), f"{total}\n{_origin(group, tag)}"]
    else:
        head = _subject(f"{name}: {change(first.before, last.after)} in {len(group)} experiments")[0]
        parts = [head, "\n".join(_line(item) for item in group), f"{total}\n{_origin(group, tag)}"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _subject(text: str) -> tuple[str, str]:
    """The first line, and the whole text again when it did not fit there."""
    text = one_line(text)
    if len(text) <= SUBJECT_LIMIT:
        return text, ""
    return text[: SUBJECT_LIMIT - 1].rsplit(" ", 1)[0] + "…", _wrapped(text)


def _wrapped(text: str) -> str:
    import textwrap

    # A line that begins with # or --- could be taken for a comment or a patch by a later git am or rebase.
    lines = (textwrap.fill(line, SUBJECT_LIMIT, break_long_words=False) for line in block(text, 2000).split("\n"))
    return re.sub(r"(?m)^(?=#|---|diff |Index: )", " ", "\n".join(lines).strip())


def _line(item: Kept) -> str:
    return f"- {one_line(item.description, 200) or 'experiment'}: {change(item.before, item.after)}"


def _origin(group: Group, tag: str) -> str:
    guard = "guard passed" if all(item.guard == "pass" for item in group) else "no guard"
    which = listing([str(item.iteration) for item in group], 12)
    return f"Measured as experiment{'s' if len(group) > 1 else ''} {which} of run {one_line(tag, 60)}, {guard}."
