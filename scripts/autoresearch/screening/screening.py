"""Runs the quick check before the full one, candidate and retained code in turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from decimal import Decimal
from pathlib import Path

from ..kernel.core import numbers
from ..kernel.core.choices import NOTHING
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import replace
from ..kernel.core.settings import Config
from ..kernel.disk.journal import Event
from ..kernel.run import measure
from ..kernel.run.context import Run
from ..kernel.run.measure import Arms, Bench, Sample
from . import clearly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def spared(run: Run, bench: Bench, arms: Arms) -> str:
    """Why the candidate needs no full check: it is clearly worse, or fails where the retained code does not."""
    if not bench.config.screen:
        return ""
    bench, mine, theirs = _quick(bench), list[Decimal](), list[Decimal]()
    while True:
        arms.show_candidate()
        candidate = measure.verify(bench, f"screen-{len(mine) + 1}")
        if candidate.value is None and _passes(candidate):
            return ""
        arms.show_retained()
        retained = measure.verify(bench, f"screen-retained-{len(mine) + 1}")
        if retained.value is None and not _passes(retained):
            return ""  # the quick check itself is broken now, so it says nothing
        if candidate.value is None:
            return f"screen failed: {candidate.problem}"
        if retained.value is None:
            return ""
        mine.append(candidate.value)
        theirs.append(retained.value)
        said = clearly.said(bench.config.direction, mine, theirs)
        if said != clearly.GO_ON:
            return _worse(mine, theirs) if said == clearly.WORSE else ""


def _worse(mine: Sequence[Decimal], theirs: Sequence[Decimal]) -> str:
    shown = [numbers.plain(sorted(values)[len(values) // 2]) for values in (mine, theirs)]
    return f"screen: {shown[0]} against {shown[1]} of the retained code, in {len(mine)} pairs; not measured in full"


def _quick(bench: Bench) -> Bench:
    """The bench that runs the quick check, and reads its number as any check's."""
    config = replace(bench.config, verify=bench.config.screen, measure=NOTHING, prepare="", metric_form={})
    return replace(bench, config=replace(config, metric_key="", metric_pattern="", metric_from=""), results=())


def _passes(sample: Sample) -> bool:
    """Whether a quick check that prints no number at least passed."""
    return sample.exit_code == 0 and not sample.late


class _Proof:
    """Tries the quick check on the untouched code."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def watching(self) -> AbstractContextManager[None]:
        """Nothing is watched."""
        return nullcontext()

    def after(self, bench: Bench, samples: Sequence[Sample]) -> list[str]:
        """What is wrong with the quick check; raises `Refusal` where it fails today."""
        if not self.config.screen:
            return []
        found = measure.verify(_quick(bench), "screen-1")
        if found.value is None and not _passes(found):
            raise Refusal(f"the screen fails on the untouched tree ({found.problem}), expected a number or a pass")
        full = sum(sample.seconds for sample in samples) / max(1, len(samples))
        if 2 * found.seconds > full:
            return [f"the screen takes {found.seconds:.1f} s and verify {full:.1f} s: a pair of it spares nothing"]
        return []

    def events(self) -> list[Event]:
        """Nothing for the log."""
        return []


@contextmanager
def proving(root: Path, config: Config) -> Iterator[_Proof]:
    """Around the measuring of a baseline: the quick check is tried once."""
    yield _Proof(config)
