"""A second look at a failed edit: the largest part of it that passes is kept as the trial, the rest as evidence."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.text import one_line
from ..kernel.disk import bytecode, evidence
from ..kernel.run import judge, measure, require
from ..kernel.run.context import Run
from ..kernel.run.intent import Intent, TrialRepo
from ..kernel.run.judge import Verdict
from ..kernel.run.measure import Bench
from ..kernel.system.git import GitError
from ..kernel.system.gittrees import GONE, LINK, TreeEntry, Trees
from ..search import thought
from . import chance, pieces
from .delta import NoMoreTests, Search
from .pieces import Hunk, Piece

TRIALS = 2  # times the price of a trial that a search may take
THOUGHT = 30.0  # seconds: no model makes an edit in less, so no trial costs less


@dataclass(frozen=True)
class Parts:
    """An edit in pieces: its repository, the two ends, and what each piece holds."""

    repo: Trees
    place: TrialRepo
    entries: tuple[TreeEntry, ...]
    old: dict[str, bytes]
    hunks: dict[Piece, Hunk]

    @property
    def units(self) -> tuple[Piece, ...]:
        """All pieces, in the order of the patch."""
        return tuple(
            piece
            for entry in self.entries
            for piece in [p for p in self.hunks if p.path == entry.path] or [Piece(entry.path)]
        )

    def commit(self, stay: Sequence[Piece], message: str) -> str:
        """A commit on the base with these pieces alone; no branch moves."""
        found = []
        for entry in self.entries:
            mine = [piece for piece in stay if piece.path == entry.path]
            if mine and mine[0].hunk >= 0:
                content = pieces.applied(self.old[entry.path], [self.hunks[piece] for piece in mine])
                found.append(TreeEntry(entry.path, entry.mode, self.repo.kept(content)))
            elif mine:
                found.append(entry)
        tree = self.repo.overlaid(self.repo.tree_of(self.place.base), found)
        return self.repo.commit_tree(tree, self.place.base, message)


def parts_of(place: TrialRepo) -> Parts | None:
    """The edit of one repository in pieces; None when its patch is too large to be read."""
    repo = Trees(Path(place.tree))
    patch = repo.patch(place.base, place.trial, evidence.PATCH_LIMIT)
    entries = repo.entries(place.base, place.trial)
    hunks, old = pieces.sections(patch), {entry.path: entry for entry in repo.entries(place.trial, place.base)}
    if len(hunks) != len(entries) or any(entry.mode == LINK for entry in (*entries, *old.values())):
        return None
    found: dict[Piece, Hunk] = {}
    content: dict[str, bytes] = {}
    for entry, mine in zip(entries, hunks):
        if mine and entry.mode == old[entry.path].mode != GONE:
            content[entry.path] = repo.content(old[entry.path].blob)
            found.update({Piece(entry.path, number): hunk for number, hunk in enumerate(mine)})
    return Parts(repo, place, entries, content, found)


def look(run: Run, bench: Bench, note: Intent, verdict: Verdict, labels: Sequence[str]) -> tuple[Intent, Verdict]:
    """The note and the verdict to go on with: those of the largest part that passes, else as they were.

    HEAD stays at the whole edit while parts of it are shown, and each is noted first: a kill leaves the whole.
    """
    parts = parts_of(next(place for place in note.places.values() if place.trial))
    if parts is None or len(parts.units) < 2 or _touched(parts):
        return note, verdict
    bound = _Bound(chance.most(run), None if run.config.salvage_runs else time.monotonic() + _allowance(run, note))
    return _Look(run, bench, note, labels, parts).largest(verdict, bound)


@dataclass(frozen=True)
class _Bound:
    """What a search may cost: so many tests, and no new one after `until` (on the monotonic clock)."""

    most: int
    until: float | None


def _allowance(run: Run, note: Intent) -> float:
    """Seconds that a search may take: twice the price of a trial, the thinking before it included."""
    known = thought.of(run.log)
    return TRIALS * max(time.time() - note.started + THOUGHT, known.thinking + known.measuring)


def _touched(parts: Parts) -> bool:
    """Whether the checks rewrite what the edit touches: then a part cannot be told from what they make of it."""
    paths = {entry.path for entry in parts.entries}
    return any(change.path in paths for change in parts.repo.changes())


class _Look:
    """One search: what is shown in the tree, and the best that passed."""

    def __init__(self, run: Run, bench: Bench, note: Intent, labels: Sequence[str], parts: Parts) -> None:
        self._run, self._bench, self._note, self._labels, self._parts = run, bench, note, labels, parts
        self._message = parts.repo.message(parts.place.trial)
        self._number = 0

    def largest(self, whole: Verdict, bound: _Bound) -> tuple[Intent, Verdict]:
        """By file, then within the files that must go by hunk; what is found is judged as any trial is."""
        units = self._parts.units
        search = Search(units, self._test(whole, bound), bound.most)
        files = pieces.by_file(units)
        if len(files) > 1:
            search.smallest(files)
        gone = units if search.best is None else search.best
        search.smallest([[piece] for piece in gone])
        if search.best is None:
            return self._note, replace(whole, told={"salvage_tests": search.tests} if search.tests else {})
        stay = [piece for piece in units if piece not in search.best]
        return self._kept(whole, stay, search.tests)

    def _test(self, whole: Verdict, bound: _Bound) -> Callable[[Sequence[Piece]], bool]:
        noisy = whole.measurement.improves is not None

        def passes(stay: Sequence[Piece]) -> bool:
            """Whether this part would be kept; under noise whether it passes what the whole failed."""
            if bound.until is not None and time.monotonic() > bound.until:
                raise NoMoreTests
            commit = self._show(stay)
            try:
                return self._holds(whole.failed) if noisy else self._judged(commit).status == "keep"
            finally:
                self._back(commit)

        return passes

    def _bench_of(self) -> Bench:
        return replace(self._bench, folder=self._bench.folder / f"part-{self._number}")

    def _judged(self, commit: str) -> Verdict:
        places = {name: replace(place, trial=place.trial and commit) for name, place in self._note.places.items()}
        return judge.judge(self._run, self._bench_of(), replace(self._note, places=places), self._labels)

    def _holds(self, failed: str) -> bool:
        """Under noise: the guard, or the required numbers of one run."""
        if failed == "guard":
            return judge.guarded(self._run, self._bench_of())[0] == "pass"
        sample = measure.verify(self._bench_of(), "verify-1")
        return sample.value is not None and not require.broken(self._run.config, sample.others)

    def _show(self, stay: Sequence[Piece]) -> str:
        """Put a part into the tree, noted first; returns its commit."""
        self._number += 1
        commit = self._parts.commit(stay, self._message)
        whole = self._parts.place.trial
        places = {n: replace(p, part=commit if p.trial else "") for n, p in self._note.places.items()}
        replace(self._note, places=places).write(self._run.layout.evidence)
        self._switch(whole, commit)
        return commit

    def _switch(self, source: str, target: str) -> None:
        repo = self._parts.repo
        repo.switch_content(source, target)
        bytecode.forget(repo.root, repo.changed_paths(source, target))

    def _back(self, commit: str) -> None:
        """The whole edit into the tree again; what a check wrote over it meanwhile is undone, as after any trial."""
        repo, whole = self._parts.repo, self._parts.place.trial
        try:
            self._switch(commit, whole)
        except GitError:
            paths = [entry.path for entry in self._parts.entries]
            changed = repo.worktree_patch(paths, evidence.PATCH_LIMIT)
            evidence.write_bytes(self._bench_of().folder / "touched.diff", changed, 2 * evidence.PATCH_LIMIT)
            repo.forced(whole, paths)

    def _kept(self, whole: Verdict, stay: Sequence[Piece], tests: int) -> tuple[Intent, Verdict]:
        """The part judged once more as the trial that it becomes; when it fails that, the whole edit's verdict."""
        commit = self._show(stay)
        verdict = self._judged(commit)
        told: dict[str, int | str] = {"salvage_tests": tests + 1}
        if verdict.status != "keep":
            self._back(commit)
            return self._note, replace(whole, told=told)
        share = f"{len(stay)} of {len(self._parts.units)} hunks"
        repo, place, folder = self._parts.repo, self._parts.place, self._bench.folder
        for name, ends in ((evidence.PATCH, (place.base, commit)), ("rest.diff", (commit, place.trial))):
            evidence.write_bytes(folder / name, repo.patch(*ends, evidence.PATCH_LIMIT), 2 * evidence.PATCH_LIMIT)
        repo.repoint(place.trial, commit)
        places = {n: replace(p, trial=commit if p.trial else "") for n, p in self._note.places.items()}
        told.update(salvaged=share, left_out=f"rest.diff in evidence_path ({_said(whole)})")
        self._promoted()
        return replace(self._note, places=places), replace(verdict, note=f"salvaged {share}", told=told)

    def _promoted(self) -> None:
        """The outputs of the kept part to where a trial has its own; those of the whole edit go to `whole`."""
        folder, part = self._bench.folder, self._bench_of().folder
        (folder / "whole").mkdir(exist_ok=True)
        for path in sorted(part.iterdir()):
            own = folder / path.name
            if own.exists():
                own.replace(folder / "whole" / path.name)
            path.replace(own)
        part.rmdir()


def _said(whole: Verdict) -> str:
    """What the whole edit measured, and why that was not enough."""
    value = whole.measurement.value
    return one_line(f"the whole: {'' if value is None else f'{value}, '}{whole.reason}", 120)
