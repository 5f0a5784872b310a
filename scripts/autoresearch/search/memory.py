"""Memory that bites: repeats are told before anything runs, and what was tried so far as a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from ..kernel.core import numbers
from ..kernel.core.rows import Row
from ..kernel.core.text import one_line
from ..kernel.run.context import Run
from . import past, shingles

SHOWN = 3  # kinds of each sort in an answer
_HUNK = re.compile(r"@@ [-+, 0-9]+ @@ ?(.*)")


def warning(run: Run, patch: bytes) -> str:
    """What the log knows of this patch already, with the trial's number and outcome; "" when it knows nothing."""
    text = patch.decode("utf-8", "replace")
    mine = shingles.of(text)
    here = past.in_content(run)
    for attempt in past.trials(run):
        row, theirs = attempt.row, attempt.patch.decode("utf-8", "replace")
        if row.status == "keep" and row.iteration in here:
            back = shingles.brings_back(text, theirs)
            said = f"brings back {back} line{'s' * (back != 1)} that kept trial {row.iteration} deleted" if back else ""
        elif row.status == "discard":
            near = shingles.resemblance(mine, shingles.of(theirs))
            said = f"is {near:.0%} the same as trial {row.iteration}" if near > shingles.NEAR else ""
        else:
            said = ""
        if said:
            return (
                f"the edit {said} ({row.status}, {row.delta}: {one_line(row.description, 80)}); nothing was run. "
                "Change it, or say with --knowing that it is wanted, then run the trial again"
            )
    return ""


def places(patch: str) -> tuple[str, ...]:
    """What a patch touches: each file, with the function where git names one."""
    found: dict[str, None] = {}
    path = ""
    for line in patch.split("\n"):
        hunk = _HUNK.match(line)
        if line.startswith("diff --git "):
            path = line.rpartition(" b/")[2]
        elif hunk and path:
            name = re.search(r"\w+(?=\s*\()|\w+\s*[:{]?$", hunk[1])
            found[f"{path}:{name[0].rstrip(' :{')}" if name else path] = None
    return tuple(found) or ((path,) if path else ())


def kinds(run: Run) -> Mapping[str, Sequence[str]]:
    """The tables of an answer: by touched place and by label how often tried, how often kept, the best gain."""
    seen = list(past.trials(run))
    by_place = ((name, item.row) for item in seen for name in places(item.patch.decode("utf-8", "replace"))[:8])
    by_label = ((name, item.row) for item in seen for name in item.row.labels)
    tables = {"places": _table(by_place, run.config.direction), "labels": _table(by_label, run.config.direction)}
    return {name: table for name, table in tables.items() if table}


def _table(pairs: Iterable[tuple[str, Row]], direction: str) -> list[str]:
    found: dict[str, list[Row]] = {}
    for name, row in pairs:
        found.setdefault(name, []).append(row)
    most = sorted(found, key=lambda name: (-len(found[name]), name))[:SHOWN]
    return [f"{one_line(name, 40)}: {_line(found[name], direction)}" for name in most]


def _line(rows: Sequence[Row], direction: str) -> str:
    kept = [row for row in rows if row.status == "keep"]
    gains = [Decimal(row.delta) for row in kept if numbers.is_number(row.delta)]
    best = (min if direction == "lower" else max)(gains, default=None)
    return f"{len(rows)} tried, {len(kept)} kept" + ("" if best is None else f", best {numbers.signed(best)}")
