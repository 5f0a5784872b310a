"""What a mode's log amounts to: counts, coverage, score, what is missing, and the gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

from ..kernel.core import text
from ..kernel.core.choices import SEVERITIES
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from ..kernel.core.statuses import those
from . import ship_log
from .mode_entries import ModeEntry
from .mode_rules import retained, withdrawn
from .mode_schemas import CATEGORIES, LENSES, OWASP, STRIDE, Schema

Entries = tuple[ModeEntry, ...]
Queue = tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class ModeGate:
    """Whether the folder's result lets a pipeline pass, and why."""

    passed: bool
    reason: str


NO_GATE = ModeGate(True, "no severity was asked for; --fail-on SEVERITY makes findings fail the gate")


def confirmed(entries: Entries) -> Entries:
    """Confirmed findings that no later row took back, the most severe first."""
    found = [
        entry
        for number, entry in enumerate(entries)
        if entry.kind in ("confirmed", "finding") and not withdrawn(entry, entries[number + 1 :])
    ]
    return tuple(sorted(found, key=lambda entry: SEVERITIES.index(entry.get("severity"))))


def looked_at(entries: Entries, name: str) -> Counter[str]:
    """How many rows looked at each `stride`, `owasp` or `lens`, with or without a finding."""
    rows = (entry for entry in entries if entry.kind in ("finding", "ruled-out", "coverage"))
    return Counter(part for entry in rows for part in entry.get(name).split(", ") if part)


def counts(schema: Schema, entries: Entries) -> dict[str, int]:
    """Rows by kind, and confirmed findings by severity."""
    kinds = Counter(entry.kind for entry in entries)
    severities = Counter(entry.get("severity") for entry in confirmed(entries))
    found = {kind: kinds[kind] for kind in schema.kinds}
    found.update((kind, len(confirmed(entries))) for kind in ("confirmed", "finding") if kind in found)
    return {**found, **({name: severities[name] for name in SEVERITIES} if "severity" in schema.choices else {})}


def coverage(schema: Schema, entries: Entries, queue: Queue = ()) -> dict[str, object]:
    """What was covered so far, in the terms of the mode."""
    if schema.mode == "security":
        sets = {"stride": STRIDE, "owasp": tuple(OWASP), "lens": LENSES}
        seen = {name: looked_at(entries, name) for name in sets}
        return {name: f"{len(seen[name])}/{len(whole)}" for name, whole in sets.items()}
    if schema.mode == "ship":
        return {"phases": list(ship_log.phases_done(entries)), "readiness": ship_log.readiness(entries) or None}
    if schema.mode == "fix":
        return {
            "remaining": remaining(entries),
            "findings_open": [item["id"] for item in open_findings(entries, queue)],
        }
    return {"tested": len([e for e in entries if e.kind != "new lead"]), "open_leads": len(open_leads(entries))}


def score(schema: Schema, entries: Entries) -> Decimal | None:
    """The mode's score from 0 to 100, with one decimal; `None` where the mode has none.

    Security: stride/6·35 + owasp/10·35 + 2·min(confirmed, 15). Ship: readiness.
    """
    if schema.mode == "ship":
        ready = ship_log.readiness(entries)
        return Decimal(ready) if ready else None
    if schema.mode != "security":
        return None
    stride, owasp = len(looked_at(entries, "stride")), len(looked_at(entries, "owasp"))
    value = Decimal(stride * 35) / 6 + Decimal(owasp * 35) / 10 + 2 * min(len(confirmed(entries)), 15)
    return value.quantize(Decimal("0.1"))


_TESTED = {"debug": ("confirmed", "disproven", "inconclusive"), "security": ("finding", "ruled-out", "coverage")}


def left(schema: Schema, entries: Entries, limit: int | None) -> int | None:
    """How many of the agreed hypotheses or attacks are not tested yet; None without a limit."""
    if limit is None:
        return None
    return max(0, limit - sum(entry.kind in _TESTED.get(schema.mode, ()) for entry in entries))


def remaining(entries: Entries) -> dict[str, str]:
    """The retained number of errors of each category that has one, in the order they are to be mended."""
    found = {name: retained(entries, name) for name in (*CATEGORIES, "")}
    found.update(next(filter(None, map(counted, reversed(_standing(entries)))), {}))
    return {name or "all": metric for name, metric in found.items() if metric is not None}


def at_first(entries: Entries) -> dict[str, str]:
    """The number of errors of each category when it was first counted."""
    first: dict[str, str] = {}
    for entry in _standing(entries):
        for name, metric in (counted(entry) or {entry.get("category") or "all": entry.get("metric")}).items():
            first.setdefault(name, metric)
    return first


def _standing(entries: Entries) -> Entries:
    return tuple(entry for entry in entries if entry.kind in those("retains"))


def counted(entry: ModeEntry) -> dict[str, str]:
    """The errors by category that the run's own check counted for a row."""
    return {name: number for name, _, number in (part.partition("=") for part in entry.get("counts").split())}


def open_findings(entries: Entries, queue: Queue) -> Queue:
    """Imported findings that no kept row has mended."""
    mended = {entry.get("finding") for entry in entries if entry.kind == "keep"}
    return tuple(item for item in queue if item["id"] not in mended)


def open_leads(entries: Entries) -> Entries:
    """Hypotheses whose last row is a lead or inconclusive."""
    latest = {e.get("hypothesis"): e for e in entries}
    return tuple(entry for entry in latest.values() if entry.kind in ("new lead", "inconclusive"))


def missing(schema: Schema, entries: Entries, queue: Queue = (), agreed: str = "") -> tuple[str, ...]:
    """What the mode still owes, in the order to be done; empty when it is complete."""
    if schema.mode == "ship":
        return _ship_owes(entries, agreed)
    return {"debug": _debug_owes, "fix": _fix_owes, "security": _security_owes}[schema.mode](entries, queue)


def _debug_owes(entries: Entries, queue: Queue) -> tuple[str, ...]:
    if not entries:
        return ("a tested hypothesis",)
    leads = [f"the result of, in the same words: {text.one_line(e.get('hypothesis'), 90)}" for e in open_leads(entries)]
    return (*([] if explained(entries) else [_cause(entries)]), *leads)


def explained(entries: Entries) -> bool:
    """Whether a confirmed cause stands that leaves no symptom unexplained."""
    return any(not entry.get("leaves") for entry in confirmed(entries))


def _cause(entries: Entries) -> str:
    left = [text.one_line(entry.get("leaves"), 100) for entry in confirmed(entries)]
    return f"a cause of what the findings leave: {'; '.join(left)}" if left else "a confirmed cause"


def _fix_owes(entries: Entries, queue: Queue) -> tuple[str, ...]:
    if not entries:
        return ("the baseline row",)
    left = [f"{name}: {metric} left" for name, metric in remaining(entries).items() if Decimal(metric) > 0]
    return (*left, *(f"finding {item['id']}: {item['title']}" for item in open_findings(entries, queue)))


def _security_owes(entries: Entries, queue: Queue) -> tuple[str, ...]:
    wholes = {"stride": STRIDE, "owasp": tuple(OWASP), "lens": LENSES}
    owed = [
        f"{name}: {', '.join(part for part in whole if part not in looked_at(entries, name))}"
        for name, whole in wholes.items()
        if len(looked_at(entries, name)) < len(whole)
    ]
    seen = {entry.kind for entry in entries}
    rows = ("asset", "boundary", "actor", "surface", "dependency")
    return (*owed, *(f"a row of type {kind}" for kind in rows if kind not in seen))


def _ship_owes(entries: Entries, agreed: str) -> tuple[str, ...]:
    failing = [f"failing check: {item}" for item in ship_log.failing(entries)]
    phases = [f"phase {phase}: {_ENTERED.get(phase, f'phase={phase} notes=…')}" for phase in ship_log.owed(entries)]
    plan = [] if any(entry.kind == "rollback" for entry in entries) else ["a rollback row with status=planned"]
    waiting = [f"agreed and not entered as done: {command}" for command in ship_log.undone(entries, agreed)]
    return (*failing, *waiting, *phases, *plan)


_ENTERED = {
    "identify": "type=… phase=identify target=… notes=…",
    "checklist": "a row type=check for every item; its score counts when all are in",
    "dry-run": "type=… dry_run=yes",
    "ship": "a row for each action when it was done, type=… dry_run=no command=… approved=yes shipped=yes",
    "verify": "the action's row has verified=yes",
}


def next_category(entries: Entries) -> str:
    """The first category in order of priority that still has errors, empty when none is known to."""
    left = remaining(entries)
    return next((name for name in CATEGORIES if Decimal(left.get(name, "0")) > 0), "")


def gate(schema: Schema, entries: Entries, queue: Queue, fail_on: str) -> ModeGate:
    """Pass or fail. `fail_on` is a severity: open findings at or above it fail; empty asks for none.

    Ship knows no severities: there, any failing or missing check fails. Where nothing was looked at, nothing
    passes. Raises `Refusal` for an unknown severity.
    """
    if fail_on and fail_on not in SEVERITIES:
        shown = text.one_line(fail_on, 20)
        raise Refusal(f"severity {shown!r} is unknown, expected one of {', '.join(SEVERITIES)}; pass one to --fail-on")
    if schema.mode == "ship":
        return _ready(entries)
    if not fail_on:
        return NO_GATE
    if not entries:
        return ModeGate(False, "nothing was looked at, so nothing can pass")
    return _severe(schema, entries, queue, SEVERITIES[: SEVERITIES.index(fail_on) + 1])


def _ready(entries: Entries) -> ModeGate:
    ready = ship_log.readiness(entries)
    if ship_log.checklist(entries) and not ship_log.failing(entries):
        rest = [
            f"{e.get('item')} ({e.get('status')})" for e in ship_log.checklist(entries) if e.get("status") != "pass"
        ]
        return ModeGate(True, f"no check fails; without a pass: {', '.join(rest)}" if rest else "every check passes")
    return ModeGate(False, f"readiness is {ready} %" if ready else "nothing was checked")


def _severe(schema: Schema, entries: Entries, queue: Queue, severities: tuple[str, ...]) -> ModeGate:
    if schema.mode == "fix":
        found = [item.get("title", "") for item in open_findings(entries, queue) if item["severity"] in severities]
    else:
        found = [entry.get("title") for entry in confirmed(entries) if entry.get("severity") in severities]
    limit = severities[-1]
    if found:
        return ModeGate(False, f"{len(found)} at or above {limit}: {text.listing(found)}")
    return ModeGate(True, f"no open finding at or above {limit}")
