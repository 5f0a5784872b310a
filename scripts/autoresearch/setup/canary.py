"""The code that is edited is the code that is measured: a broken scope must change what a check prints."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from ..kernel.core import scope
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.text import listing
from ..kernel.core.timelimit import TimeLimit
from ..kernel.disk import bytecode
from ..kernel.run import measure
from ..kernel.run.measure import Bench, Sample
from ..kernel.system.git import Repo
from . import causes, opened
from .listing import Listing

# No language takes this for a program, no parser for data; one word, so that a shell makes no files of its parts.
BROKEN = b"\0<<<<<<<broken-on-purpose>>>>>>>\n"
_MOST = 2000  # files that are broken
_PATIENCE = 5  # times the slowest run of the baseline, a minute at least


@dataclass(frozen=True)
class OpenedFiles:
    """Files of the scope that runs on this tree opened in the user's checkout alone; `sure` after several runs."""

    names: frozenset[str] = frozenset()
    sure: bool = False


def prove(main: Path, bench: Bench, samples: Sequence[Sample], seen: OpenedFiles | None = None) -> None:
    """Raise `Refusal` where the check prints what it did at the baseline although every file of the scope is broken.

    `main` is the user's checkout, `bench.tree` the one that was made for the run, `samples` are runs of the check on it
    (in a batch: on the run's own tree), `seen` what these opened in `main` alone. It costs one run.
    Only files that git holds unchanged are broken, and they are put back.
    """
    tree = bench.tree
    if os.path.realpath(tree) == os.path.realpath(main):
        return
    paths = subjects(tree, bench)
    if not paths:
        return
    slowest = max((sample.seconds for sample in samples), default=0.0)
    bench = replace(bench, limit=TimeLimit(min(bench.limit.hard, max(60.0, _PATIENCE * slowest))))
    with _broken(tree, paths), opened.watch(tree, paths) as here, opened.watch(main, paths) as there:
        sample = measure.verify(bench, "canary")
        touched, now = here.names(), there.names()
    known = seen or OpenedFiles()
    elsewhere = known.names if known.sure else known.names & now
    if elsewhere:
        raise Refusal(
            f"the check does not see this tree: it opens {listing(sorted(elsewhere), 2)} in {main} and not in "
            f"{tree.name}, so no edit of it would be measured. {causes.of(main, tree, bench.config)}"
        )
    if sample.value is not None and not touched and not _moved(sample.value, samples) and not _other_words(bench):
        raise Refusal(
            f"the check does not see this tree: with all {len(paths)} files of the scope broken in {tree.name} it "
            f"still gives {sample.value}, so no edit would be measured. {causes.of(main, tree, bench.config)}"
        )


def subjects(tree: Path, bench: Bench) -> list[str]:
    """The tracked files of the scope that no check locks."""
    inside = scope.matcher(bench.config.scope)
    paths = [path for path in Listing(tree).held() if inside(path) and path not in bench.lock]
    return [path for path in paths if (tree / path).is_file() and not (tree / path).is_symlink()][:_MOST]


@contextmanager
def _broken(tree: Path, paths: Sequence[str]) -> Iterator[None]:
    before = set(Repo(tree).untracked_roots())
    try:
        for path in paths:
            (tree / path).write_bytes(BROKEN)
        bytecode.forget(tree, tuple(paths))
        yield
    finally:
        Repo(tree).restore(paths)
        for left in set(Repo(tree).untracked_roots()) - before:  # what the check made of the broken files
            _remove(tree / left)
        bytecode.forget(tree, tuple(paths))


def _remove(path: Path) -> None:
    import shutil

    shutil.rmtree(path, ignore_errors=True) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)


def _moved(value: Decimal, samples: Sequence[Sample]) -> bool:
    """Whether a number lies beyond what the baseline's own runs spread over, by a good margin."""
    known = [sample.value for sample in samples if sample.value is not None]
    if not known:
        return False
    margin = 3 * (max(known) - min(known))
    return not min(known) - margin <= value <= max(known) + margin


def _other_words(bench: Bench) -> bool:
    """Whether the output has other words than each run of the baseline had: then the check saw something."""
    mine = _words(bench.folder / "canary.out"), _words(bench.folder / "canary.err")
    found = sorted(bench.folder.glob("verify-[0-9]*.out"))
    return bool(found) and all((_words(path), _words(path.with_suffix(".err"))) != mine for path in found)


def _words(path: Path) -> str:
    """A captured output without its numbers, which may differ by the clock."""
    text = path.read_text("utf-8", "replace") if path.is_file() else ""
    return re.sub(r"[\d.,eE+-]+|\s+", " ", text)
