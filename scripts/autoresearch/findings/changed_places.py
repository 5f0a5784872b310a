"""Tells with a trial's verdict which findings are gone, new and left, and what a failed check or guard said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from ..kernel.core.frozen import replace
from ..kernel.core.text import one_line
from ..kernel.disk import evidence
from ..kernel.run import exact
from ..kernel.run.context import Run
from ..kernel.run.intent import Intent
from ..kernel.run.judge import Verdict
from ..kernel.run.measure import Bench
from ..reading import printed, reader
from . import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SHOWN = 3  # new findings, or lines of a failure, in an answer
_WIDTH = 150
_TELLING = re.compile(
    r"(?!\s*at |=|make|Traceback|.*Warning)"
    r"(?:.*(?:Error|error:|error TS|failed|FAILED|assert|panicked|INTERNALERROR)|\S+:\d+)"
)


def look(run: Run, bench: Bench, note: Intent, verdict: Verdict, labels: Sequence[str]) -> tuple[Intent, Verdict]:
    """Add what changed to the verdict; the verdict itself stays."""
    return note, added(run, bench.folder, _with_limits(run, verdict))


def added(run: Run, folder: Path, verdict: Verdict) -> Verdict:
    """The verdict with what changed, by what its check printed into `folder`."""
    told = {**_difference(run, folder, verdict), **_said(folder, verdict)}
    return replace(verdict, told={**verdict.told, **told}) if told else verdict


def _with_limits(run: Run, verdict: Verdict) -> Verdict:
    """The same discard, whose reason also names a limit on another number that the edit breaks: what has no gain is
    not asked for its limits, and the next edit of its kind would run into them."""
    missed = exact.rule().missed(run.config, verdict.measurement) if verdict.failed == "metric" else ""
    return replace(verdict, reason=f"{verdict.reason}; also required: {missed}") if missed else verdict


def _difference(run: Run, folder: Path, verdict: Verdict) -> dict[str, Any]:
    """`findings`, `new_first` and `left`; nothing where the check shows no places, or under noise."""
    measured = verdict.measurement
    if measured.value is None or measured.improves is not None:
        return {}
    after = _places(run, folder, measured.value)
    before = _places(run, _retained(run), run.state.current_metric)
    if after is None or before is None or not (after or before):
        return {}
    found = places.compared(before, after)
    lists = {"gone": found.gone, "new": found.new, "left": after}
    evidence.write_json(folder / "findings.json", {name: list(map(str, items)) for name, items in lists.items()})
    told: dict[str, Any] = {"findings": f"gone {len(found.gone)}, new {len(found.new)}"}
    if found.new:
        told["new_first"] = [one_line(str(place), _WIDTH) for place in found.new[:SHOWN]]
    kept = verdict.status == "keep"
    return {**told, "left": places.grouped(after if kept else before)}


def _retained(run: Run) -> Path:
    """The evidence of the row that the retained value comes from."""
    kept = [row.iteration for row in run.log.rows if row.is_main and row.status in ("keep", "drift", "baseline")]
    return evidence.folder(run.layout.evidence, kept[-1] if kept else 0)


def _places(run: Run, folder: Path, value: Decimal) -> tuple[places.Place, ...] | None:
    """The findings of the run of the check in this folder that gave this value, None where none did."""
    for path in sorted(folder.glob("*.out")):
        if path.name.startswith(("guard", "confirm", "screen")):
            continue
        text = path.read_text("utf-8", "replace")
        if printed.extract(text, reader.source(run.config)).value == value:
            return None if "bytes cut ..." in text else places.found(text)
    return None


def _said(folder: Path, verdict: Verdict) -> Mapping[str, Any]:
    """The telling lines of what failed, where the reason has no room for all of them."""
    name = "guard" if verdict.failed == "guard" else "verify-1" if verdict.status == "crash" else ""
    shown = telling(folder, name)[:SHOWN] if name else []
    return {"said": shown} if len(shown) > 1 else {}


def telling(folder: Path, name: str) -> list[str]:
    """The lines of a check's output, kept in this folder, that say what failed; each once."""
    texts = [
        path.read_text("utf-8", "replace") for end in ("err", "out") if (path := folder / f"{name}.{end}").is_file()
    ]
    lines = [line.strip() for text in texts for line in text.splitlines() if _TELLING.match(line)]
    return [one_line(line, _WIDTH) for line in dict.fromkeys(lines)]
