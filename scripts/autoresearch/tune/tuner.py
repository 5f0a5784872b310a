"""Tuning constants in a run: every value is measured on a commit that no branch holds, the best becomes one trial."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from ..kernel.core import numbers, scope
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.text import listing, one_line
from ..kernel.disk import bytecode, evidence
from ..kernel.disk.layout import Layout
from ..kernel.run import context, evaluator_lock, intent, measure, tree, trial, trial_gate
from ..kernel.run.context import Run
from ..kernel.run.intent import Intent
from ..kernel.system.gittrees import TreeEntry, Trees
from ..noise import rule
from . import tuning
from .tuning import Point

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

MOST = 5  # constants
RUNS = 40  # measurements, unless asked otherwise
FOLDER = "tune"  # of the captured output, in the evidence
WORST = float("inf")  # the score of a value that gives no number


@dataclass(frozen=True)
class Constant:
    """A number in the code: file, a pattern with one group around it, its range, whether it is searched by ratio."""

    path: str
    pattern: str
    low: float
    high: float
    log: bool = False

    @property
    def ends(self) -> tuple[float, float]:
        """Both ends of the range."""
        return self.low, self.high


@dataclass(frozen=True)
class TuneRequest:
    """What to tune: the constants, how the row is described, how many measurements may be made."""

    constants: tuple[Constant, ...]
    description: str
    runs: int = RUNS


@dataclass(frozen=True)
class FoundConstant:
    """A constant in today's file: its text there, its value, and whether it is a whole number."""

    constant: Constant
    text: str

    @property
    def whole(self) -> bool:
        """Whether it is written without a point."""
        return "." not in self.text and "e" not in self.text.lower()

    def at(self, place: float) -> float:
        """Its value at a place between 0 and 1."""
        return tuning.value_at(place, self.constant.ends, self.constant.log, self.whole)


def constant(values: Sequence[str]) -> Constant:
    """A constant from its five words; raises `Refusal` for what cannot be searched."""
    path, pattern, low, high, scale = values
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise Refusal(
            f"--constant pattern {pattern[:60]!r} is none ({error}), expected one group around a number"
        ) from None
    ends = [float(numbers.parse(end, "--constant range")) for end in (low, high)]
    log = scale == "log"
    if groups != 1 or ends[0] >= ends[1] or scale not in ("linear", "log") or (log and ends[0] <= 0):
        raise Refusal(
            f"--constant {path} cannot be searched, expected FILE PATTERN LOW HIGH SCALE with one group around the "
            "number, LOW below HIGH, SCALE linear or log (log: LOW above zero)"
        )
    return Constant(path, pattern, ends[0], ends[1], log)


def tune(layout: Layout, wish: TuneRequest) -> Mapping[str, Any]:
    """Search, then try the best values as one trial; the answer of a trial, or that nothing is better."""
    with intent.alone(layout) as mended:
        run = context.load(layout)
        _refuse_unready(run, wish)
        return _tuned(run, wish, mended)


def _refuse_unready(run: Run, wish: TuneRequest) -> None:
    trial_gate.refuse_batch(run)
    trial_gate.refuse_finished(run)
    trial_gate.refuse_edited(run)
    if not 1 <= len(wish.constants) <= MOST:
        raise Refusal(f"{len(wish.constants)} constants given, expected 1 to {MOST}; tune those that matter most")
    beyond = scope.outside([constant.path for constant in wish.constants], run.config.scope)
    if beyond:
        raise Refusal(f"{listing(beyond)} is outside the scope ({run.config.scope or '.'}), expected files within it")


def _tuned(run: Run, wish: TuneRequest, mended: str) -> Mapping[str, Any]:
    tuner = Tuner(run, wish)
    samples, point = tuner.search()
    rows = tuner.table(samples)
    evidence.write_json(run.layout.evidence / FOLDER / "tune.json", {"samples": rows})
    told = {"tuned": tuner.values(point), "measured": sum(len(row["metric"]) for row in rows)}
    if point == tuner.start:
        return {"status": "no-op", **told, "message": "no value is better than today's; nothing was recorded"}
    shown = [numbers.plain(Decimal(str(value))) for value in tuner.values(point)]
    said = ", ".join(f"{found.text} to {value}" for found, value in zip(tuner.found, shown))
    attempt = trial.Attempt(
        f"{wish.description} ({said})", searched=len(rows), knowing=True, content=tuner.content(point)
    )
    first, *others = tree.edits(run)
    after, row = trial.experiment(run, attempt, [replace(first, inside=tuner.paths), *others])
    folder = evidence.folder(run.layout.evidence, row.iteration)
    evidence.write_json(folder / "tune.json", {"constants": [vars(c) for c in wish.constants], "samples": rows})
    return {**trial.answer(after, row, mended), **told}


class Tuner:
    """One search: the constants as found, and how a point of the cube is measured."""

    def __init__(self, run: Run, wish: TuneRequest) -> None:
        """Read the files as HEAD has them; raises `Refusal` for a constant that is not there exactly once."""
        self._run, self._wish = run, wish
        self._repo = Trees(run.tree)
        self._base = self._repo.head()
        self._texts = {c.path: self._read(c.path) for c in wish.constants}
        self.found = tuple(self._found(c) for c in wish.constants)
        self.start: Point = tuple(
            tuning.place_of(float(found.text), found.constant.ends, found.constant.log) for found in self.found
        )
        self.paths = tuple(dict.fromkeys(c.path for c in wish.constants))
        self._number, self._noisy = 0, rule.is_noisy(run.config)
        self._seen: dict[tuple[float, ...], float] = {}
        self._mark = f"tune-{run.tag}-{os.getpid()}-{time.time_ns()}"

    def _read(self, path: str) -> str:
        try:
            return (self._run.tree / path).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            raise Refusal(f"--constant {path} cannot be read, expected a text file of the repository") from None

    def _found(self, wanted: Constant) -> FoundConstant:
        matches = list(re.finditer(wanted.pattern, self._texts[wanted.path]))
        if len(matches) != 1 or not numbers.is_number(matches[0][1]):
            raise Refusal(
                f"--constant pattern {wanted.pattern[:60]!r} fits {len(matches)} places of {wanted.path}, expected one "
                "with a number in its group; make it longer"
            )
        return FoundConstant(wanted, matches[0][1])

    def values(self, point: Point) -> list[float]:
        """The constants' values at a point; today's at the start."""
        if point == self.start:
            return [float(found.text) for found in self.found]
        return [found.at(place) for found, place in zip(self.found, point)]

    def table(self, samples: Mapping[Point, Sequence[float]]) -> list[dict[str, Any]]:
        """Values with what the check printed for them, None where it gave no number; equal values are one row."""
        sign = 1 if self._run.config.direction == "lower" else -1
        found: dict[tuple[float, ...], list[float | None]] = {}
        for point, scores in samples.items():
            printed = [None if score == WORST else sign * score for score in scores]
            known = found.setdefault(tuple(self.values(point)), [])
            known += printed if self._noisy or not known else []
        return [{"values": list(values), "metric": printed} for values, printed in found.items()]

    def content(self, point: Point) -> str:
        """The tree with these values."""
        texts = dict(self._texts)
        for found, value in zip(self.found, self.values(point)):
            match = re.search(found.constant.pattern, texts[found.constant.path])
            assert match is not None
            shown = numbers.plain(Decimal(str(int(value) if found.whole else value)))
            text = texts[found.constant.path]
            texts[found.constant.path] = text[: match.start(1)] + shown + text[match.end(1) :]
        modes = {path: _mode(self._run.tree / path) for path in texts}
        entries = [TreeEntry(path, modes[path], self._repo.kept(text.encode())) for path, text in texts.items()]
        return self._repo.overlaid(self._repo.tree_of(self._base), entries)

    def search(self) -> tuple[dict[Point, list[float]], Point]:
        """All scores by point, and the best one: only a better score than today's takes its place."""
        if self._noisy:
            import random

            dice = random.Random(self._base)
            samples = tuning.noisy(self.start, self._score, self._wish.runs, dice.shuffle)
            evidence.clear_intent(self._run.layout.evidence)
            return samples, tuning.best(samples)
        known = tuning.exact(self.start, self._once, self._wish.runs)
        evidence.clear_intent(self._run.layout.evidence)
        best = min(known, key=lambda point: (known[point], point != self.start))
        return {point: [score] for point, score in known.items()}, best

    def _once(self, point: Point) -> float:
        """An exact score; points that round to equal values are measured once."""
        key = tuple(self.values(point))
        if key not in self._seen:
            self._seen[key] = self._score(point)
        return self._seen[key]

    def _score(self, point: Point) -> float:
        """One run of the check with these values; noted first, so that a kill leaves today's."""
        self._number += 1
        commit = self._repo.commit_tree(self.content(point), self._base, "tune\n")
        root = str(self._run.layout.root)
        place = intent.TrialRepo(str(self._run.tree), self._base, commit)
        note = Intent(
            self._run.state.iteration + 1,
            self._run.tag,
            self._mark,
            {root: place},
            own=True,
            started=time.time(),
            root=root,
        )
        note.write(self._run.layout.evidence)
        self._switch(self._base, commit)
        try:
            sample = measure.verify(self._bench(), f"value-{self._number}", 4096)
        finally:
            self._switch(commit, self._base)
        if sample.value is None:
            return WORST
        return float(sample.value) * (1 if self._run.config.direction == "lower" else -1)

    def _switch(self, source: str, target: str) -> None:
        self._repo.switch_content(source, target)
        bytecode.forget(self._repo.root, self._repo.changed_paths(source, target))

    def _bench(self) -> measure.Bench:
        seconds = self._run.config.noise.get("seconds")
        limit = measure.limit_of(self._run.config, None if seconds is None else float(seconds))
        folder = self._run.layout.evidence / FOLDER
        return measure.Bench(
            self._run.tree, folder, self._run.config, limit, self._mark, evaluator_lock.known(self._run.log)
        )


def _mode(path: Path) -> str:
    return "100755" if os.access(path, os.X_OK) else "100644"


def described(text: str) -> str:
    """The row's words."""
    return one_line(text, 200) or "tuned constants"
