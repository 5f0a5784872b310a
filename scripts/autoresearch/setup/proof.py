"""What is looked at around the measuring of a baseline: scope and check before it, tree and lock behind it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..kernel.core import artifacts, scope
from ..kernel.core.errors import Refusal
from ..kernel.core.settings import Config
from ..kernel.core.text import listing, one_line
from ..kernel.disk import hashes
from ..kernel.disk.journal import Event
from ..kernel.run.measure import Bench, Sample
from . import (
    bounds,
    canary,
    evaluator,
    evaluator_files,
    hidden,
    named_files,
    opened,
    scopes,
    shelltext,
    swallowed,
    traps,
)
from .listing import Listing

_PROSE = (".md", ".rst", ".adoc", ".gitignore", ".gitattributes", ".editorconfig", "LICENSE", "py.typed", ".gitkeep")
_WATCHED = 2000  # files outside the scope, too, are watched up to so many


class Proof:
    """Looks at a set-up: raises `Refusal` for one under which no trial could tell anything, and collects warnings."""

    def __init__(self, root: Path, config: Config) -> None:
        self.root, self.config, self.began = root, config, time.time()
        self.tree = Path(config.worktree or root)
        self.trees = scopes.trees_of(root, config)
        self.warnings = [*scopes.check(self.trees), *scopes.elsewhere(self.tree, config)]
        self.warnings += traps.of_check(self.tree, config)
        held = list(Listing(self.tree).held())
        self.subjects = [path for path in held if scope.matcher(config.scope)(path)]
        self.ignored = hidden.readable(self.tree, bool(traps.builds(config) or config.prepare))
        self.results = evaluator.result_files(self.tree, config)
        self.stamps = hashes.stamps(self.tree, [*self.results, *self.ignored])
        self.wrote = frozenset[str]()
        self.elsewhere, self.runs = frozenset[str](), 0
        self.past: Mapping[str, Any] = {}  # what an earlier dry run saw, where its runs are taken over
        # All that git holds, where that is not too much: a later dry run may have another scope.
        watched = held if len(held) <= _WATCHED else self.subjects
        self.here, self.there = opened.OpensWatch(self.tree, [*watched, *self.ignored]), None
        if os.path.realpath(self.tree) != os.path.realpath(root):
            self.there = opened.OpensWatch(root, self.subjects)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Around one run: what it opens counts, what the tool and git open before does not."""
        for watch in filter(None, (self.here, self.there)):
            watch.skip()
        yield
        self.here.names()
        if self.there is not None:
            now = self.there.names() - self.here.seen
            self.elsewhere, self.runs = (self.elsewhere & now if self.runs else now), self.runs + 1
            self.there.forget()

    def close(self) -> None:
        """End what watches."""
        for watch in filter(None, (self.here, self.there)):
            watch.close()

    def after(self, bench: Bench, samples: Sequence[Sample]) -> list[str]:
        """The warnings, once verify has run; raises `Refusal` where it does not see what is edited.

        `bench` is the baseline's with the evaluator's digests in its `lock`.
        """
        lock = bench.lock
        self.here.add(self.past.get("opened", ()))
        seen = self.here.seen
        # One run's opens in the user's checkout may be another program's; what each of several opened is the check's.
        elsewhere = self.elsewhere - seen if self.here.known else frozenset[str]()
        self.warnings += self._locked(lock)
        self.warnings += unopened(self.config, [path for path in self.subjects if path not in lock], self.here)
        self.old = [*self.past["old"]] if self.past else self._old_results()
        self.warnings += self.old
        self.warnings += constant(self.tree, self.config)
        self.warnings += kept_elsewhere(self.tree, self.config, samples, self.began)
        self.warnings += indirect(self.tree, self.config, lock)
        canary.prove(self.root, bench, samples, canary.OpenedFiles(elsewhere, self.runs > 1))
        return self.warnings

    def seen(self) -> Mapping[str, Any]:
        """What only runs can show, for a set-up that takes them over."""
        return {
            "began": self.began,
            "opened": sorted(self.here.seen),
            "wrote": sorted(self.wrote),
            "old": self.old,
            "watched": [dict(event) for event in self.events()],
        }

    def recall(self, told: Mapping[str, Any]) -> None:
        """Take over what an earlier dry run saw of the same runs."""
        self.past, self.wrote = told, frozenset(map(str, told["wrote"]))
        self.began = float(told.get("began", self.began))

    def events(self) -> list[Event]:
        """What the log must know: the ignored files of the scope as they are now."""
        read = [path for path in self.ignored if path in self.here.seen and path not in self.wrote]
        return hidden.events(self.trees, {str(self.root): read})

    def _locked(self, lock: Mapping[str, str]) -> list[str]:
        """Files that the scope offers and the lock forbids; raises `Refusal` where nothing else is left."""
        inside = scope.matcher(self.config.scope)
        locked = [name for name in lock if self.config.scope.strip() and not os.path.isabs(name) and inside(name)]
        if not locked:
            return []
        free = [path for path in Listing(self.tree).files() if inside(path) and path not in lock]
        free = [path for path in free if not artifacts.is_owned(path)]
        if not free and not self.config.companions:
            raise Refusal(
                f"the checks run {listing(locked, 3)}, and the scope has nothing else: what a check runs is locked, so "
                "every trial would be refused; expected a check outside the scope that calls it, or a wider --scope"
            )
        return [f"{listing(locked, 3)} is in the scope but run by a check, so it is locked: no trial may edit it"]

    def _old_results(self) -> list[str]:
        """Result files that no run of the baseline wrote; raises `Refusal` where a failure before them is hidden."""
        after = hashes.stamps(self.tree, self.stamps)
        self.wrote = frozenset(name for name in after if after[name] != self.stamps[name])
        old = [name for name in self.results if after[name] and after[name] == self.stamps[name]]
        if not old:
            return []
        lost = shelltext.lost(self.config.verify)
        hidden = (*lost.unseen, *lost.replaced, *lost.forgiven)
        if hidden:
            raise Refusal(
                f"{listing(old, 2)} was written before this run and by no run of the check, while the failure of "
                f"{one_line(' and '.join(hidden), 60)} is hidden: the number is not of this "
                "code; expected the check to write it: join its commands with &&"
            )
        told = f"{listing(old, 2)} was written before this run and by no run of the check"
        return [f"{told}: a number out of it is not of this code"]


@contextmanager
def proving(root: Path, config: Config) -> Iterator[Proof]:
    """Begin before the baseline is measured; raises `Refusal`."""
    proof = Proof(root, config)
    try:
        yield proof
    finally:
        proof.close()


def unopened(config: Config, subjects: Sequence[str], watch: opened.OpensWatch) -> list[str]:
    """Files of the scope that the check never opened; nothing where that cannot be told, or a build may hide it."""
    seen = watch.seen & frozenset(subjects)
    if not watch.known or not config.scope.strip() or traps.builds(config):
        return []
    # Data beside the code that a check opens (a table, a schema) is no surprise; what the scope names one by one is.
    kinds, named = {os.path.splitext(path)[1] for path in seen}, scope.split(config.scope)
    left = [path for path in subjects if path not in seen and not path.endswith(_PROSE)]
    left = [path for path in left if not seen or os.path.splitext(path)[1] in kinds or path in named]
    guarded = set(re.findall(r"\w+", config.guard))  # a program that the guard runs moves what the check reads
    left = [path for path in left if Path(path).stem not in guarded]
    if not left:
        return []
    many = f"{len(left)} of the {len(subjects)} files of the scope" if seen else "no file of the scope"
    told = f"the check did not open {many}" if seen else f"the check opened {many}"
    return [
        f"{told} ({listing(left, 3)}): an edit there may not move the number; where the check reads what is made from "
        "it, --prepare CMD makes that anew"
    ]


def constant(tree: Path, config: Config) -> list[str]:
    """Required numbers that stand in the check's own text as a number: no edit moves them."""
    if not config.require:
        return []
    names = named_files.expand(tree, evaluator_files.executed([config.verify]))
    texts = [("the check", config.verify), *((name, named_files.source_text(tree / name)) for name in names)]
    found = []
    for wanted in config.require:
        key = bounds.key_of(wanted)
        fixed = re.compile(rf"(?:METRIC\s+|[\"'])?{re.escape(key)}[\"']?\s*[=:]\s*[-+]?\d[\d.]*(?![\w.%(])")
        for name, text in texts:
            if fixed.search(text):
                found.append(
                    f"{key} is written as a number in {one_line(name, 60)}: no edit moves it, so --require "
                    f"'{one_line(wanted, 40)}' says nothing; measure it"
                )
                break
    return found


def kept_elsewhere(tree: Path, config: Config, samples: Sequence[Sample], since: float) -> list[str]:
    """Required numbers that stand in a tracked file outside the scope which the check names and nobody wrote `since`
    (seconds of the clock)."""
    if not config.require:
        return []
    names = named_files.expand(tree, evaluator_files.executed([config.verify]))
    texts = "\n".join([config.verify, *(named_files.source_text(tree / name) for name in names)])
    inside = scope.matcher(config.scope)
    held = [path for path in Listing(tree).held() if path not in names and not inside(path)]
    held = [path for path in held if path.rpartition("/")[2] in texts and (tree / path).is_file()]
    files = {path: named_files.source_text(tree / path) for path in held if (tree / path).stat().st_mtime < since}
    found = []
    for wanted in config.require:
        key = bounds.key_of(wanted)
        values = {sample.others[key] for sample in samples if key in sample.others}
        place = next((path for path, text in files.items() if len(values) == 1 and _holds(text, key, *values)), "")
        if place:
            found.append(
                f"{key} stands in {one_line(place, 60)}, which no run of the check writes and no edit may change: "
                f"--require '{one_line(wanted, 40)}' says nothing; measure it"
            )
    return found


def _holds(text: str, key: str, value: Decimal) -> bool:
    """Whether a text is this number alone, or gives it under this name."""
    numbers = re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])", text)
    named = re.findall(rf"{re.escape(key)}[\"']?\s*[=:,\t ]\s*(-?\d+(?:\.\d+)?)(?![\w.])", text)
    return any(Decimal(number) == value for number in (numbers if len(numbers) == 1 else named))


def indirect(tree: Path, config: Config, lock: Mapping[str, str]) -> list[str]:
    """Files of the scope that the check runs through another file, which no lock holds."""
    inside = scope.matcher(config.scope)
    if not config.scope.strip():
        return []
    found: dict[str, str] = {}
    for by, text in _wrappers(tree, config.verify):
        for name in named_files.expand(tree, evaluator_files.executed([text])):
            if name not in lock and inside(name) and name != by:
                found.setdefault(name, by)
    return [
        f"the check runs {one_line(name, 80)} through {by}, and it is in the scope: an edit may change the judge; "
        f"--protect {one_line(name, 80)}, where it is not what is to be improved"
        for name, by in list(found.items())[:2]
    ]


def _wrappers(tree: Path, verify: str) -> Iterator[tuple[str, str]]:
    """The commands behind a wrapper: npm scripts that are named, recipes of make's targets, lines of shell scripts."""
    words = evaluator_files.words(verify)
    for name in named_files.expand(tree, evaluator_files.executed([verify])):
        text = named_files.source_text(tree / name)
        base = name.rpartition("/")[2]
        if base == "package.json":
            yield from ((name, command) for command in swallowed.npm(text, words))
        elif base.lower() in ("makefile", "gnumakefile", "justfile"):
            yield name, "\n".join(line.strip().lstrip("@-") for line in text.split("\n") if line[:1] in "\t ")
        elif base.endswith((".sh", ".bash")) or text.startswith(("#!/bin/sh", "#!/bin/bash", "#!/usr/bin/env bash")):
            yield name, text
