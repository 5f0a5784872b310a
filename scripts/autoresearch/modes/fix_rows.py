"""Rows of a fix run's own results log, as rows of the fix's folder: measured there, so nobody types them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

from ..kernel.core import jsontext, numbers, rows
from ..kernel.core.errors import Refusal
from ..kernel.core.statuses import those
from ..kernel.disk import journal
from .mode_entries import ModeEntry
from .mode_schemas import CATEGORIES


def pending(root: Path, entries: tuple[ModeEntry, ...], queue: tuple[Mapping[str, str], ...]) -> list[dict[str, str]]:
    """The fields of every main row that the folder does not have yet, in their order.

    Each gets `run` (`tag#iteration`), the `counts` of those categories of errors that the check prints as METRIC
    lines, the first `category` that moved, and the imported `finding` that a label or its description names. Empty
    unless the repo's run is a fix; raises `Refusal` for a log that cannot be read.
    """
    try:
        log = journal.read(root / "research-results.tsv")
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise Refusal(f"the results log cannot be read ({error}), expected a run's; run autoresearch_doctor") from None
    if log.header.get("mode") != "fix":
        return []
    known = {entry.get("run") for entry in entries}
    ids = {item.get("id", "") for item in queue}
    return [fields for fields in _all(log, ids) if fields["run"] not in known]


def _all(log: journal.Log, ids: set[str]) -> Iterator[dict[str, str]]:
    standing: dict[str, str] = {}
    for row in filter(lambda row: row.is_main, log.rows):
        fields = dict(zip(rows.COLUMNS, rows.format_row(row).split("\t")))
        counts = _counts(log, row.iteration, fields["metric"])
        moved = [name for name in counts if counts[name] != standing.get(name, "0")]
        named = [word for word in (*map(str.upper, row.labels), *re.findall(r"F\d+", row.description)) if word in ids]
        fields["run"] = f"{log.header.get('run_tag', 'run')}#{row.iteration}"
        fields["counts"] = " ".join(f"{name}={count}" for name, count in counts.items())
        fields["category"] = next(iter([*moved, *counts]), "")
        fields["finding"] = next(iter(named), "")
        yield fields
        standing = counts if row.status in those("retains") and counts else standing


def _counts(log: journal.Log, iteration: int, metric: str) -> dict[str, str]:
    """Errors by category at a row, in the order in which they are to be mended; what is only a limit is none."""
    config = jsontext.mapping(log.header.get("config_json", ""))
    required = config.get("require")
    limits = {str(text).split(" ")[0] for text in required} if isinstance(required, (list, tuple)) else set()
    found = {str(config.get("metric_key") or log.header.get("metric", "")): metric}
    for event in log.events:
        if event.get("iteration") == iteration:
            last = (event.get("samples") or [event])[-1]
            others = (last.get("others") or {}).items()
            found.update({str(name): str(value) for name, value in others if name not in limits})
    shown = {name.lower().replace("_", "-"): value for name, value in found.items()}
    return {name: _plain(shown[name]) for name in CATEGORIES if _plain(shown.get(name, ""))}


def _plain(value: str) -> str:
    try:
        return numbers.plain(Decimal(value))
    except InvalidOperation:
        return ""
