"""What an earlier dry run showed of the same tree and the same checks, taken over instead of measured again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..kernel.core.frozen import dataclass, field
from ..kernel.core.settings import Config
from ..kernel.disk.journal import Event
from ..kernel.run.measure import Sample

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True)
class KnownRuns:
    """Runs of verify with what they wrote and left, what the features saw of them, and how guard and confirm ended.

    Whatever is empty was not taken over. `proofs` are in the order of the port `proving`; guard and confirm are
    state, problem and seconds; `told` says in words what was taken over.
    """

    samples: tuple[Sample, ...] = ()
    results: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    left: tuple[Event, ...] = ()
    proofs: tuple[Mapping[str, Any], ...] = ()
    busy: str = ""
    guard: tuple[str, str, float] | None = None
    confirm: tuple[str, str] | None = None
    told: str = ""


@dataclass(frozen=True)
class MeasuredPlace:
    """What is measured: the checkout with its commits and the user's changes, and where output goes."""

    root: Path
    config: Config
    heads: Mapping[str, str]
    changes: tuple[Event, ...] = field(default_factory=tuple)
    staging: Path = Path()
