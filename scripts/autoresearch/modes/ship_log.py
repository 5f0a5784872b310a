"""Shipping: the checklist as a readiness in per cent, phases in their order, confirmed actions only."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..kernel.core import text
from .mode_entries import FIELD_LIMIT, Context, ModeEntry
from .mode_schemas import PHASES, SHIPMENTS

_STATES = {
    "check": ("pass", "fail", "skip", "override"),
    "rollback": ("planned", "done", "failed"),
    "monitor": ("pass", "fail"),
}
_DURATION = re.compile(r"[0-9]+(?:\.[0-9]+)?\s*(?:ms|s|m|min|h)?")


def readiness(history: tuple[ModeEntry, ...]) -> str:
    """Per cent of the checklist that passes, what does not count aside; empty when nothing was checked."""
    states = [entry.get("status") for entry in checklist(history)]
    counted = [state for state in states if state not in ("skip", "override")]
    return str(100 * counted.count("pass") // len(counted)) if counted else ""


def checklist(history: tuple[ModeEntry, ...]) -> tuple[ModeEntry, ...]:
    """The last check of each item, in the order the items first came up."""
    latest = {entry.get("item"): entry for entry in history if entry.kind == "check"}
    return tuple(latest.values())


def failing(history: tuple[ModeEntry, ...]) -> list[str]:
    """Items that fail, and that the user did not want overridden: by name, or with what was shipped by force."""
    forced = max((number for number, entry in enumerate(history) if entry.get("force") == "yes"), default=-1)
    last = {entry.get("item"): (number, entry) for number, entry in enumerate(history) if entry.kind == "check"}
    return [item for item, (number, entry) in last.items() if entry.get("status") == "fail" and number > forced]


def phases_done(history: tuple[ModeEntry, ...]) -> tuple[str, ...]:
    """The phases that the log shows, in their order; checks, dry runs and shipments count as theirs."""
    seen = {entry.get("phase") for entry in history}
    seen.update("checklist" for entry in history if entry.kind == "check")
    for entry in history:
        if entry.kind == "action":
            seen.add("dry-run" if entry.get("dry_run") == "yes" else "ship")
    answers = ("shipped", "verified")
    shipped, verified = ({entry.get("command") for entry in history if entry.get(name) == "yes"} for name in answers)
    seen.update(["verify"] if verified and shipped <= verified else [])
    return tuple(phase for phase in PHASES if phase in seen)


def owed(history: tuple[ModeEntry, ...], phase: str = "") -> list[str]:
    """Phases without a row, up to `phase`; a log without a shipment closes after the checklist (dry run)."""
    done = phases_done(history)
    short = "ship" not in done and (phase == "log" or (not phase and "log" in done))
    wanted = PHASES[:3] if short else PHASES[: PHASES.index(phase)] if phase else PHASES
    return [name for name in wanted if name not in done]


def undone(history: tuple[ModeEntry, ...], agreed: str) -> list[str]:
    """Agreed commands that no row shows as done, once the dry run is over; what takes back is not among them."""
    phases = phases_done(history)
    if "dry-run" not in phases or "log" in phases:
        return []
    done = {e.get("command") for e in history if e.get("shipped") == "yes" or e.kind in ("phase", "rollback")}
    left = f"; {_flat(agreed)};"
    for command in sorted(filter(None, map(_flat, done)), key=len, reverse=True):
        left = left.replace(f"; {command};", ";")
    return [part for part in map(str.strip, left.split(";")) if part and not part.lower().startswith("override ")]


def completed(values: dict[str, str], context: Context) -> dict[str, str]:
    """A ship row with its time stamp, and with type and target of the shipment it belongs to."""
    last = context.history[-1] if context.history else ModeEntry("", {})
    kind = values.get("type", "")
    values["timestamp"] = context.now
    if kind in _STATES:
        values["kind"] = kind
    if kind not in SHIPMENTS and last.get("type"):
        values["type"] = last.get("type")
    elif kind in _STATES:
        del values["type"]
    if last.get("target"):
        values.setdefault("target", last.get("target"))
    if _is_action(values):
        values.setdefault("shipped", "no")
        values.setdefault("verified", "no")
    return values


def _is_action(values: Mapping[str, str]) -> bool:
    return values.get("type") in SHIPMENTS and "kind" not in values and "phase" not in values


def rules(kind: str, values: dict[str, str], context: Context) -> list[str]:
    """What is wrong with a ship row; sets its readiness."""
    problems = []
    states = _STATES.get(kind, ())
    if states and values.get("status") and values["status"].lower() not in states:
        problems.append(f"status is {text.one_line(values['status'], 20)!r}, expected one of {', '.join(states)}")
    if states and values.get("status"):
        values["status"] = values["status"].lower()
    if not _DURATION.fullmatch(values.get("duration", "0")):
        shown = text.one_line(values["duration"], 20)
        problems.append(f"duration is {shown!r}, expected a number of seconds, or 3m, 1.5h")
    if kind == "phase" and values["phase"] == "identify" and not values.get("target"):
        problems.append("target is missing")
    if kind == "phase":
        problems += _order_problems(values["phase"], context)
        problems += _command_problems(values, context) if values.get("command") else []
    if kind == "check" and values.get("status") == "override":
        problems += _override_problems(values, context)
    if kind == "action":
        problems += _action_problems(values, context)
    if kind == "rollback" and values.get("status") != "planned" and values.get("approved") != "yes":
        problems.append("approved=yes is missing: only a rollback that the user agreed to is done")
    return problems + _scored(kind, values, context)


def _scored(kind: str, values: dict[str, str], context: Context) -> list[str]:
    """Set the readiness as it is with this row; a typed one may only agree with it."""
    current = ModeEntry(kind, dict(values))
    score = readiness((*context.history, current))
    typed = values.pop("checklist_score", score).rstrip("%")
    if score:
        values["checklist_score"] = score
    if typed == score:
        return []
    return [f"checklist_score is computed from the check rows ({score or 'none yet'}), leave it out"]


def _order_problems(phase: str, context: Context) -> list[str]:
    skipped = owed(context.history, phase)
    return [f"phase {phase} comes after {', '.join(skipped)}, which has no row yet"] if skipped else []


def _action_problems(values: Mapping[str, str], context: Context) -> list[str]:
    if values.get("dry_run") != "no":
        return ["a dry run ships nothing, expected shipped=no"] if values.get("shipped") == "yes" else []
    problems = _order_problems("ship", context)
    if values.get("approved") != "yes":
        problems.append(
            "approved=yes is missing: only an action that the user agreed to is done; dry_run=yes otherwise"
        )
    problems += _command_problems(values, context)
    failed = failing(context.history)
    if failed and values.get("force") != "yes":
        problems.append(f"the checklist fails on {text.listing(failed)}; repair it, or force=yes where the user agreed")
    return problems


def _command_problems(values: Mapping[str, str], context: Context) -> list[str]:
    command = _flat(values.get("command", ""))
    if not context.agreed or (command and f"; {command};" in f"; {_flat(context.agreed)};"):
        return []
    agreed = text.one_line(context.agreed, 200)
    return [f"command is {command[:80]!r}, expected one that was agreed ({agreed}); it is not done without"]


def _override_problems(values: Mapping[str, str], context: Context) -> list[str]:
    wanted = f"override {_flat(values.get('item', ''))}"
    if f"; {wanted};".lower() in f"; {_flat(context.agreed)};".lower():
        return []
    agreed = text.one_line(context.agreed, 200) or "nothing"
    return [f"{wanted!r} was not agreed ({agreed}), expected it word for word in --agreed; status=fail otherwise"]


def _flat(content: str) -> str:
    """One line with one blank after each semicolon, so that a command that holds some is found as a whole."""
    return "; ".join(part.strip() for part in text.one_line(content, FIELD_LIMIT).strip("; ").split(";"))
