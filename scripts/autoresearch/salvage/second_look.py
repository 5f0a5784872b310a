"""A second look at a failed edit: the largest part of it that passes is kept as the trial, the rest as evidence."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ..kernel import ports
from ..kernel.core import numbers
from ..kernel.core.errors import Postponed
from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.text import listing, one_line
from ..kernel.disk import bytecode, evidence
from ..kernel.run import judge, measure, require
from ..kernel.run.context import Run
from ..kernel.run.intent import Intent, TrialRepo
from ..kernel.run.judge import Verdict
from ..kernel.run.measure import Bench
from ..kernel.system.git import GitError
from ..kernel.system.gittrees import GONE, LINK, TreeEntry, Trees
from ..search import partly, thought
from . import chance, pieces
from .delta import NoMoreTests, Search
from .pieces import Hunk, Piece
from .stake import HALVING, Stake, Yield

TRIALS = 2  # times the price of a trial that a search may take
THOUGHT = 30.0  # seconds: no model makes an edit in less, so no trial costs less
SLOW, SLACK = 4.0, 15.0  # times the usual seconds of a test, and seconds more, that one test may take
MIXED = 0.25  # the chance that an edit which gains nothing holds a part that does
FOREVER = float("inf")
TRIED = ("keep", "discard", "crash")


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
    bound = _bound(run, note, verdict)
    if not bound.begins():
        return note, replace(verdict, told={**verdict.told, "salvage": bound.declined()})
    return _Look(run, bench, note, labels, parts).largest(verdict, bound)


class _Bound:
    """What a search may cost: so many tests, none after `until` (on the monotonic clock), each worth its time."""

    def __init__(self, most: int, until: float, stake: Stake | None, usual: float = FOREVER) -> None:
        """`stake` is None where the user said how much may be spent; `usual`: seconds of a test on today's machine."""
        self.most, self.until = most, until
        self._stake, self._usual, self._took, self._found = stake, usual, list[float](), False

    def begins(self) -> bool:
        """Whether there is a search at all."""
        return self._stake is None or self._stake.begins()

    def declined(self) -> str:
        """Why there is none."""
        assert self._stake is not None
        worth, costs = self._stake.worth, self._stake.last + HALVING * self._stake.test
        return f"not tried: parts take {costs:.0f} s and more, new edits gain as much in {worth:.0f} s"

    def pays(self, share: float) -> bool:
        """Whether a test that may save this share of the edit is worth its time, as tests took so far; while none has
        passed, all of them together."""
        if self._stake is None:
            return True
        spent = sum(self._took)
        stake = replace(self._stake, test=spent / len(self._took)) if self._took else self._stake
        return stake.pays(share) and (self._found or spent + stake.test <= stake.worth)

    def one(self) -> float:
        """When a test that begins now is ended: one that takes several times the usual time is no part that passes."""
        return min(self.until, time.monotonic() + SLACK + SLOW * self._usual)

    def took(self, seconds: float, passed: bool) -> None:
        """A test took so long, and whether the part passed."""
        self._took.append(seconds)
        self._found = self._found or passed


def _bound(run: Run, note: Intent, verdict: Verdict) -> _Bound:
    """Twice the price of a trial, the thinking before it included, and the time of the trial that the part becomes."""
    if run.config.salvage_runs:
        return _Bound(run.config.salvage_runs, FOREVER, None)
    known, elapsed, noise = thought.of(run.log), time.time() - note.started, run.config.noise
    price = max(elapsed + THOUGHT, known.thinking + known.measuring)
    tried = [row for row in run.log.rows if row.is_main and not row.is_own and row.status in TRIED]
    gains = [abs(float(row.delta)) for row in tried if row.status == "keep" and numbers.is_number(row.delta)]
    value = verdict.measurement.value
    gain = 0.0 if value is None else float(numbers.gain(run.config.direction, value, run.state.current_metric))
    test, alone = float(noise.get("guard_seconds") or 0), _alone(verdict)
    last = max(0.0, elapsed - test) if verdict.failed == "guard" else elapsed
    stake = Stake(
        Yield(len(tried), gains, price).seconds(gain) * (MIXED if verdict.failed == "metric" else 1),
        test if alone else test + float(noise.get("seconds") or 0),
        last if alone else 0.0,
    )
    usual = test + elapsed / max(1, verdict.measurement.runs)
    return _Bound(chance.MOST, time.monotonic() + TRIALS * price - stake.last, stake, usual)


def _alone(whole: Verdict) -> bool:
    """Whether a part is tested by what the whole failed alone; what is found is then measured as a trial."""
    return whole.failed == "guard" or whole.measurement.improves is not None


def _touched(parts: Parts) -> bool:
    """Whether the checks rewrite what the edit touches: then a part cannot be told from what they make of it."""
    paths = {entry.path for entry in parts.entries}
    return any(change.path in paths for change in parts.repo.changes())


class _Look:
    """One search: what is shown in the tree, and the best that passed."""

    def __init__(self, run: Run, bench: Bench, note: Intent, labels: Sequence[str], parts: Parts) -> None:
        self._run, self._bench, self._note, self._labels, self._parts = run, bench, note, labels, parts
        self._message = parts.repo.message(parts.place.trial)
        self._passed: dict[tuple[Piece, ...], tuple[int, Verdict]] = {}  # judged parts, and their folder
        self._guards: dict[tuple[Piece, ...], int] = {}  # parts that the guard passed, and their folder
        self._number, self._until = 0, FOREVER

    def largest(self, whole: Verdict, bound: _Bound) -> tuple[Intent, Verdict]:
        """By file, then within the files that must go by hunk; what is found is judged as any trial is."""
        units, began = self._parts.units, time.monotonic()
        search = Search(units, self._test(whole, bound), bound.most, bound.pays)
        files = pieces.by_file(units)
        if len(files) > 1:
            search.smallest(files)
        gone = units if search.best is None else search.best
        search.smallest([[piece] for piece in gone])
        if search.best is None:
            note, verdict = self._note, replace(whole, told={"salvage_tests": search.tests} if search.tests else {})
        else:
            note, verdict = self._kept(whole, search.best, search.tests)
        self._say("")
        took = {"salvage_seconds": round(time.monotonic() - began)} if verdict.told else {}
        return note, replace(verdict, told={**verdict.told, **took})

    def _test(self, whole: Verdict, bound: _Bound) -> Callable[[Sequence[Piece]], bool]:
        def passes(stay: Sequence[Piece]) -> bool:
            """Whether this part would be kept, or passes what the whole failed."""
            began = time.monotonic()
            if began > bound.until:
                raise NoMoreTests
            self._number, self._until = self._number + 1, bound.one()
            self._say(f"part {self._number} of at most {bound.most}, {len(stay)} of {len(self._parts.units)} hunks")
            commit, good = self._show(stay, self._message), False
            try:
                good = self._holds(whole.failed, tuple(stay)) if _alone(whole) else self._is_kept(tuple(stay), commit)
                return good
            except Postponed:
                raise NoMoreTests from None
            finally:
                self._back(commit)
                bound.took(time.monotonic() - began, good)

        return passes

    def _say(self, what: str) -> None:
        """Tell people who look, and whoever waits for the command; "" when it is done."""
        text, note = f"salvage: {what}" if what else "", self._bench.folder / partly.DOING
        if text:
            evidence.write_json(note, {"doing": text})
        else:
            note.unlink(missing_ok=True)
        for progress in ports.asked("measure", "progress"):
            progress(text)

    def _bench_of(self, number: int) -> Bench:
        return replace(self._bench, folder=self._bench.folder / f"part-{number}", until=self._until)

    def _judged(self, commit: str, bench: Bench) -> Verdict:
        places = {name: replace(place, trial=place.trial and commit) for name, place in self._note.places.items()}
        return judge.judge(self._run, bench, replace(self._note, places=places), self._labels)

    def _is_kept(self, stay: tuple[Piece, ...], commit: str) -> bool:
        verdict = self._judged(commit, self._bench_of(self._number))
        if verdict.status == "keep":
            self._passed[stay] = self._number, verdict
        return verdict.status == "keep"

    def _holds(self, failed: str, stay: tuple[Piece, ...]) -> bool:
        """The guard, or the required numbers of one run."""
        bench = self._bench_of(self._number)
        if failed == "guard":
            passed = judge.guarded(self._run, bench)[0] == "pass"
            self._guards.update({stay: self._number} if passed else {})
            return passed
        sample = measure.verify(bench, "verify-1")
        return sample.value is not None and not require.broken(self._run.config, sample.others)

    def _show(self, stay: Sequence[Piece], message: str) -> str:
        """Put a part into the tree, noted first; returns its commit."""
        commit = self._parts.commit(stay, message)
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
            folder = self._bench_of(self._number).folder
            evidence.write_bytes(folder / "touched.diff", changed, 2 * evidence.PATCH_LIMIT)
            repo.forced(whole, paths)

    def _kept(self, whole: Verdict, gone: Sequence[Piece], tests: int) -> tuple[Intent, Verdict]:
        """The part as the trial that it becomes; when it fails as that, the whole edit's verdict."""
        stay = tuple(piece for piece in self._parts.units if piece not in set(gone))
        share, out = f"{len(stay)} of {len(self._parts.units)} hunks", self._named(gone)
        commit = self._show(stay, _titled(self._message, share, out))
        number, verdict = self._passed.get(stay) or self._measured(commit, share, whole.failed == "guard")
        told: dict[str, int | str] = {"salvage_tests": tests + (stay not in self._passed)}
        if verdict.status != "keep":
            self._back(commit)
            return self._note, replace(whole, told=told)
        repo, place, folder = self._parts.repo, self._parts.place, self._bench.folder
        for name, ends in ((evidence.PATCH, (place.base, commit)), ("rest.diff", (commit, place.trial))):
            evidence.write_bytes(folder / name, repo.patch(*ends, evidence.PATCH_LIMIT), 2 * evidence.PATCH_LIMIT)
        repo.repoint(place.trial, commit)
        places = {n: replace(p, trial=commit if p.trial else "") for n, p in self._note.places.items()}
        told.update(salvaged=share, left_out=f"{out}{partly.REST} in evidence_path ({_said(whole)})")
        self._promoted(self._bench_of(number).folder, self._bench_of(self._guards.get(stay, number)).folder)
        return replace(self._note, places=places), replace(verdict, note=f"salvaged {share}", told=told)

    def _measured(self, commit: str, share: str, guarded: bool) -> tuple[int, Verdict]:
        """The part measured as a trial, which takes as long as one; its folder, and the verdict.

        `guarded`: the guard has just passed on this very content and is not asked again.
        """
        self._number, self._until = self._number + 1, FOREVER
        self._say(f"{share} pass and are measured as the trial")
        known, self._run = self._run, _unguarded(self._run) if guarded else self._run
        try:
            verdict = self._judged(commit, self._bench_of(self._number))
        except Postponed as reason:
            verdict = Verdict("discard", "-", str(reason), measure.Measurement(None, str(reason), ()))
        finally:
            self._run = known
        if guarded and verdict.guard == "-" and verdict.checks:
            verdict = replace(verdict, guard="pass", checks={**verdict.checks, "guard": "pass"})
        return self._number, verdict

    def _named(self, gone: Sequence[Piece]) -> str:
        """What is left out: hunks of files, or files."""
        found = [
            f"{len(group)} hunk{'s' * (len(group) > 1)} of {group[0].path}" if group[0].hunk >= 0 else group[0].path
            for group in pieces.by_file(gone)
        ]
        return one_line(listing(found, 3), 200)

    def _promoted(self, part: Path, guarded: Path) -> None:
        """The outputs of the kept part to where a trial has its own, those of its guard too where another folder has
        them; what the whole edit printed goes to `whole`."""
        folder = self._bench.folder
        aside = folder / "whole"
        aside.mkdir(exist_ok=True)
        for path in folder.glob("guard.*"):
            path.replace(aside / path.name)
        for path in dict.fromkeys([*sorted(part.glob("*")), *sorted(guarded.glob("guard.*"))]):  # often one folder
            own = folder / path.name
            if own.exists():
                own.replace(aside / path.name)
            path.replace(own)
        if part.is_dir():
            part.rmdir()


def _unguarded(run: Run) -> Run:
    return replace(run, config=replace(run.config, guard=""))


def _titled(message: str, share: str, out: str) -> str:
    """The commit message of the part: that of the edit, with what of it this is."""
    subject, _, rest = message.partition("\n")
    return f"{subject} (salvaged {share})\n\nA part of the edit that was tried; left out: {out}.\n{rest}"


def _said(whole: Verdict) -> str:
    """What the whole edit measured, and why that was not enough."""
    value = whole.measurement.value
    return one_line(f"the whole: {'' if value is None else f'{value}, '}{whole.reason}", 120)
