"""The folders of debug, fix, security and ship: open one, add a row, sum it up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..cli.run_root import find_root
from ..kernel.core import text
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, replace
from ..kernel.disk.layout import standard
from ..kernel.system import gitfiles
from ..muting import muting
from . import fix_rows, mode_entries, mode_folder, mode_pages, mode_rules, mode_score
from .mode_schemas import CATEGORIES, Schema, schema_of


@dataclass(frozen=True)
class Opening:
    """What a folder begins with.

    `findings_of` is a debug or security folder whose confirmed findings become the queue of a fix, `only` the ids of
    those that were agreed on (all when empty); `agreed` stands at the head of the log and of the summary; `limit` is
    the agreed number of hypotheses or attacks.
    """

    mode: str
    slug: str
    findings_of: Path | None = None
    only: tuple[str, ...] = ()
    agreed: str = ""
    limit: int | None = None


def open_folder(start: Path, wanted: Opening, now: float) -> dict[str, object]:
    """Make a mode's folder with all its files; `now` is in seconds since the epoch, names are in UTC.

    Raises `Refusal`.
    """
    schema, root, slug = schema_of(wanted.mode), find_root(start), wanted.slug
    queue = _chosen(_imported(schema, wanted.findings_of), wanted.only)
    if wanted.limit is not None and schema.mode not in ("debug", "security"):
        raise Refusal(f"a limit counts hypotheses or attacks, expected none for {schema.mode}; leave --limit out")
    name = f"{_utc(now, '%y%m%d-%H%M')}-{mode_entries.slug_of(slug)}"
    gitfiles.hide(standard(root).results)
    folder = mode_folder.create(root, schema, name)
    head = mode_entries.head(schema, folder.name[12:], _stamp(now), queue, wanted.agreed, wanted.limit)
    mode_folder.start(folder, schema, head)
    with mode_folder.locked(folder, schema) as log:
        _take_over(log, schema, root, now)
        mode_folder.write_pages(folder, _pages(schema, folder, log.text, ""))
    return {
        "dir": str(folder),
        "mode": schema.mode,
        "files": [schema.log, *schema.files],
        "hidden": "from git status, by the repository's own exclude file; only mode_log writes in it",
        **_vocabulary(schema),
        **({"queue": list(queue)} if queue else {}),
        "next": {"action": "add", "reason": _FIRST[schema.mode]},
    }


def _vocabulary(schema: Schema) -> dict[str, object]:
    """What a row may hold; of a fix only what is not taken over from its run."""
    if schema.mode == "fix":
        return {"row_fields": {"blocked": "description category"}, "choices": {"category": ", ".join(CATEGORIES)}}
    named = {"ruled-out": "finding with result=disproven or inconclusive"}
    return {
        "row_fields": {named.get(kind, kind): " ".join(fields) for kind, fields in schema.kinds.items()},
        "more_fields": [name for name in schema.extras if name not in mode_rules.SET_BY_TOOL],
        "choices": {name: ", ".join(choices) for name, choices in schema.choices.items()},
    }


_FIRST = {
    "debug": "add a row when a hypothesis has its answer: result=… and the fields of row_fields",
    "fix": "run trials; the fix run's rows are taken over by themselves, add only what is blocked; then summary",
    "security": "add asset, boundary, actor and surface rows first, then findings and coverage rows",
    "ship": "add the first phase: type=… phase=identify target=… notes=…",
}


def _imported(schema: Schema, folder: Path | None) -> tuple[Mapping[str, str], ...]:
    """The confirmed findings of a debug or security folder, the most severe first, numbered as in its findings.md."""
    if folder is None:
        return ()
    source = mode_folder.identify(folder.resolve())
    if schema.mode != "fix" or source.mode not in ("debug", "security"):
        raise Refusal(
            "--from-debug takes findings into a fix, expected --mode fix and a debug/… or security/… folder; pass one"
        )
    entries = mode_entries.read(source, mode_folder.read_log(folder.resolve(), source))
    return tuple(
        {
            "id": f"F{number}",
            **{name: entry.get(name) for name in ("severity", "title", "location")},
            "suggested_fix": entry.get("suggested_fix") or entry.get("mitigation"),
        }
        for number, entry in enumerate(mode_score.confirmed(entries), 1)
    )


def _chosen(queue: tuple[Mapping[str, str], ...], only: tuple[str, ...]) -> tuple[Mapping[str, str], ...]:
    """The findings that were agreed on."""
    unknown = [name for name in only if name not in [item["id"] for item in queue]]
    if unknown:
        known = ", ".join(item["id"] for item in queue) or "none"
        raise Refusal(f"finding {text.one_line(unknown[0], 20)!r} is not there, expected one of {known}; pass those")
    return tuple(item for item in queue if not only or item["id"] in only)


def add_rows(folder: Path, rows: Sequence[Mapping[str, str]], now: float) -> dict[str, object]:
    """Check rows against the mode's schema, append them all or none, render the Markdown, say what is still missing.

    Each is checked against those before it. The field `patch` of a fix row is no part of it: a diff that must not
    mute signals. What the repo's fix run has measured is taken over first. Raises `Refusal` naming every problem of
    the first row that has any.
    """
    folder = folder.resolve()
    schema = mode_folder.identify(folder)
    with mode_folder.locked(folder, schema) as log:
        _take_over(log, schema, folder.parent.parent, now)
        history, queue = mode_entries.read(schema, log.text), mode_entries.read_queue(log.text)
        known = mode_entries.Context(history, queue, now=_stamp(now), agreed=mode_entries.read_agreed(log.text))
        added = _checked(schema, folder.parent.parent, rows, known)
        log.append("".join(mode_entries.record(schema, entry) for entry in added))
        mode_folder.write_pages(folder, _pages(schema, folder, log.text, ""))
    told = {"recorded": [mode_entries.brief(schema, entry) for entry in added]}
    muted = [signal for row in rows for signal in _muted(schema, row)]
    return {**told, **_standing(schema, (*history, *added), log.text), **({"muted": muted} if muted else {})}


def _muted(schema: Schema, row: Mapping[str, str]) -> tuple[str, ...]:
    return muting.muted_signals(row.get("patch", "")) if schema.mode == "fix" else ()


def _checked(
    schema: Schema, root: Path, rows: Sequence[Mapping[str, str]], context: mode_entries.Context
) -> tuple[mode_entries.ModeEntry, ...]:
    """The entries that the rows make, in their order."""
    added: tuple[mode_entries.ModeEntry, ...] = ()
    for number, row in enumerate(rows, 1):
        given, muted = dict(row), _muted(schema, row)
        if schema.mode == "fix":
            given.pop("patch", None)
        files = {
            path: mode_folder.line_count(root, path) for path in mode_rules.located_paths(given.get("location", ""))
        }
        found = {path: lines for path, lines in files.items() if lines is not None}
        before = replace(context, history=(*context.history, *added), files=found, muted=muted)
        try:
            entry = mode_rules.check_row(schema, given, before)
        except Refusal as refusal:
            raise Refusal(f"row {number} of {len(rows)}: {refusal}" if len(rows) > 1 else str(refusal)) from None
        if len(rows) > 1 and entry.kind in _ALONE:
            raise Refusal(f"row {number} of {len(rows)} is {_ALONE[entry.kind]}; nothing was recorded, add it alone")
        added += (entry,)
    return added


# What happens one after the other is written down one after the other, each when it is known.
_ALONE = {
    **dict.fromkeys(("confirmed", "disproven", "inconclusive"), "a test's result, expected in a command of its own"),
    "action": "an action, expected in a command of its own right after it was done",
}


def _take_over(log: mode_folder.LockedModeLog, schema: Schema, root: Path, now: float) -> None:
    """Append what the fix run has recorded since."""
    if schema.mode != "fix":
        return
    history, queue = mode_entries.read(schema, log.text), mode_entries.read_queue(log.text)
    for given in fix_rows.pending(root, history, queue):
        context = mode_entries.Context(history, queue, {}, _stamp(now), (), measured=True)
        entry = mode_rules.check_row(schema, given, context)
        log.append(mode_entries.record(schema, entry))
        history += (entry,)


def _standing(schema: Schema, entries: tuple[mode_entries.ModeEntry, ...], log: str) -> dict[str, Any]:
    """Rows, coverage, score, what is missing, what is left of the agreed number, and the next step."""
    queue = mode_entries.read_queue(log)
    owed = mode_score.missing(schema, entries, queue, mode_entries.read_agreed(log))
    left = mode_score.left(schema, entries, mode_entries.read_limit(log))
    step = {"action": "add", "reason": owed[0]} if owed else {"action": "summary", "reason": "nothing is missing"}
    if left == 0 and owed:
        step = {"action": "summary", "reason": "the agreed number is used; tell what is missing as not examined"}
    category = mode_score.next_category(entries) if schema.mode == "fix" else ""
    score = mode_score.score(schema, entries)
    return {
        "rows": len(entries),
        "coverage": mode_score.coverage(schema, entries, queue),
        **({} if score is None else {"score": score}),
        "missing": list(owed),
        **({} if left is None else {"left": left}),
        "next": {**step, **({"category": category} if category else {})},
    }


def summarize(folder: Path, fail_on: str, now: float) -> dict[str, object]:
    """Render every promised file, and answer with counts, score, coverage and the gate.

    `fail_on` is a severity or empty. `failed` is true when a gate was asked for and does not pass.
    """
    folder = folder.resolve()
    schema = mode_folder.identify(folder)
    with mode_folder.locked(folder, schema) as log:
        _take_over(log, schema, folder.parent.parent, now)
        entries, queue = mode_entries.read(schema, log.text), mode_entries.read_queue(log.text)
        gate = mode_score.gate(schema, entries, queue, fail_on)
        mode_folder.write_pages(folder, _pages(schema, folder, log.text, fail_on))
    agreed, standing = mode_entries.read_agreed(log.text), _standing(schema, entries, log.text)
    asked = gate != mode_score.NO_GATE or schema.mode == "security"  # elsewhere "passed" would be read as a verdict
    left = "what is missing is entered, or named with its reason" if standing["missing"] else "nothing is missing"
    return {
        "dir": str(folder),
        "mode": schema.mode,
        **({"agreed": agreed} if agreed else {}),
        "counts": mode_score.counts(schema, entries),
        **standing,
        **({"gate": {"passed": gate.passed, "reason": gate.reason}} if asked else {}),
        "files": [schema.log, *schema.files],
        "failed": bool(fail_on) and not gate.passed,
        "next": {"action": "report", "reason": f"tell the user how it ended; {left}"},
    }


def _pages(schema: Schema, folder: Path, log: str, fail_on: str) -> dict[str, str]:
    entries, queue = mode_entries.read(schema, log), mode_entries.read_queue(log)
    gate = mode_score.gate(schema, entries, queue, fail_on)
    return mode_pages.render(
        mode_pages.Folder(schema, folder.name, entries, queue, gate, mode_entries.read_agreed(log))
    )


def _stamp(now: float) -> str:
    return _utc(now, "%Y-%m-%dT%H:%M:%SZ")


def _utc(now: float, form: str) -> str:
    import time

    return time.strftime(form, time.gmtime(now))
