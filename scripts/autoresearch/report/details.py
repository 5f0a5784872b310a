"""What the evidence of one experiment holds, bounded, as clean text."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..kernel.core import jsontext
from ..kernel.core.text import block
from ..kernel.disk import evidence
from . import excerpts, loose
from .account_model import Experiment

RECORD_LIMIT = 256 * 1024
PATCH_LIMIT = 16 * 1024
OUTPUT_LIMIT = 3 * 1024
HYPOTHESIS_LIMIT = 2000


@dataclass(frozen=True)
class Excerpt:
    """A part of an evidence file: its path in the evidence folder, the text, and how many bytes were left out."""

    path: str
    text: str
    left_out: int


@dataclass(frozen=True)
class Details:
    """Samples (metric units, in the order they were run; None where a run gave no number), hypothesis, excerpts."""

    hypothesis: str = ""
    candidate: tuple[Decimal | None, ...] = ()
    retained: tuple[Decimal | None, ...] = ()
    outputs: tuple[Excerpt, ...] = ()
    patch: Excerpt | None = None


def read(root: Path, experiment: Experiment) -> Details:
    """What the evidence folder below `root` holds of an experiment; missing parts are left out."""
    folder = evidence.folder(root, experiment.row.iteration)
    if experiment.row.worker:
        folder = folder / experiment.row.worker
    data = jsontext.mapping(excerpts.head(folder / evidence.RECORD, RECORD_LIMIT)[0])
    candidate = _values(data.get("samples")) or experiment.samples
    hypothesis = data.get("hypothesis")
    return Details(
        block(hypothesis, HYPOTHESIS_LIMIT).strip() if isinstance(hypothesis, str) else experiment.hypothesis,
        candidate,
        _values(data.get("retained_samples")),
        tuple(_outputs(root, folder, len(candidate), experiment.row.guard == "fail")),
        _excerpt(root, folder / evidence.PATCH, *excerpts.head(folder / evidence.PATCH, PATCH_LIMIT)),
    )


def _values(samples: Any) -> tuple[Decimal | None, ...]:
    return tuple(loose.decimal(item.get("value")) for item in loose.items(samples)[:400] if isinstance(item, dict))


def _outputs(root: Path, folder: Path, runs: int, guard_failed: bool) -> list[Excerpt]:
    """The end of the last run's output, and the guard's where it failed."""
    names = [f"verify-{max(1, runs)}.out", f"verify-{max(1, runs)}.err"]
    names += ["guard.out", "guard.err"] if guard_failed else []
    found = (_excerpt(root, folder / name, *excerpts.tail(folder / name, OUTPUT_LIMIT)) for name in names)
    return [excerpt for excerpt in found if excerpt]


def _excerpt(root: Path, path: Path, text: str, left_out: int) -> Excerpt | None:
    clean = block(text, 2 * len(text) + 1).strip("\n")
    return Excerpt(f"{root.name}/{path.relative_to(root).as_posix()}", clean, left_out) if clean else None
