"""The folders of debug, fix, security and ship: open one, add a row, sum it up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..core import artifacts, modelog, moderender, moderules, modescore, muting
from ..core.errors import Refusal
from ..core.modeschemas import Schema, schema_of
from ..disk import modefolder
from ..disk.layout import find_root
from ..system.git import Repo
from . import fixrows


def open_folder(
    start: Path, mode: str, slug: str, now: float, from_debug: Path | None = None, agreed: str = ""
) -> dict[str, object]:
    """Make the folder of one audit with all its files; `now` is in seconds since the epoch, names are in UTC.

    `from_debug` is a debug or security folder whose confirmed findings become the queue of a fix; `agreed` stands
    at the head of the log and of the summary. Raises `Refusal`.
    """
    schema, root = schema_of(mode), find_root(start)
    queue = _imported(schema, from_debug)
    name = f"{_utc(now, '%y%m%d-%H%M')}-{modelog.slug_of(slug)}"
    repo = Repo(root)
    if repo.is_git():
        repo.exclude(artifacts.EXCLUDE)
    folder = modefolder.create(root, schema, name)
    modefolder.start(folder, schema, modelog.head(schema, folder.name[12:], _stamp(now), queue, agreed))
    with modefolder.locked(folder, schema) as log:
        _take_over(log, schema, root, now)
        modefolder.write_pages(folder, _pages(schema, folder, log.text, ""))
    return {
        "dir": str(folder),
        "mode": mode,
        "files": [schema.log, *schema.files],
        "columns": list(schema.columns),
        "row_fields": {kind: " ".join(fields) for kind, fields in schema.kinds.items()},
        "more_fields": [name for name in schema.extras if name not in moderules.SET_BY_TOOL],
        "choices": {name: ", ".join(choices) for name, choices in schema.choices.items()},
        **({"queue": list(queue)} if queue else {}),
        "next": {"action": "add", "reason": _FIRST[mode]},
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
    source = modefolder.identify(folder.resolve())
    if schema.mode != "fix" or source.mode not in ("debug", "security"):
        raise Refusal(
            "--from-debug takes findings into a fix, expected --mode fix and a debug/… or security/… folder; pass one"
        )
    entries = modelog.read(source, modefolder.read_log(folder.resolve(), source))
    return tuple(
        {
            "id": f"F{number}",
            **{name: entry.get(name) for name in ("severity", "title", "location")},
            "suggested_fix": entry.get("suggested_fix") or entry.get("mitigation"),
        }
        for number, entry in enumerate(modescore.confirmed(entries), 1)
    )


def add_row(folder: Path, given: Mapping[str, str], now: float) -> dict[str, object]:
    """Check one row against the mode's schema, append it, render the Markdown, and say what is still missing.

    The field `patch` of a fix row is no part of it: a diff that must not mute signals. What the repo's fix run has
    measured is taken over first. Raises `Refusal` naming every problem.
    """
    folder = folder.resolve()
    schema = modefolder.identify(folder)
    root = folder.parent.parent
    given = dict(given)
    muted = muting.muted_signals(given.pop("patch", "")) if schema.mode == "fix" else ()
    files = {path: modefolder.line_count(root, path) for path in moderules.located_paths(given.get("location", ""))}
    found = {path: lines for path, lines in files.items() if lines is not None}
    with modefolder.locked(folder, schema) as log:
        _take_over(log, schema, root, now)
        history, queue = modelog.read(schema, log.text), modelog.read_queue(log.text)
        context = modelog.Context(history, queue, found, _stamp(now), muted, agreed=modelog.read_agreed(log.text))
        entry = moderules.check_row(schema, given, context)
        log.append(modelog.record(schema, entry))
        modefolder.write_pages(folder, _pages(schema, folder, log.text, ""))
    return {**_recorded(schema, entry), **_standing(schema, (*history, entry), queue), **_noted(muted)}


def _noted(muted: tuple[str, ...]) -> dict[str, object]:
    return {"muted": list(muted)} if muted else {}


def _take_over(log: modefolder.Locked, schema: Schema, root: Path, now: float) -> None:
    """Append what the fix run has recorded since."""
    if schema.mode != "fix":
        return
    history, queue = modelog.read(schema, log.text), modelog.read_queue(log.text)
    for given in fixrows.pending(root, history, queue):
        context = modelog.Context(history, queue, {}, _stamp(now), (), measured=True)
        entry = moderules.check_row(schema, given, context)
        log.append(modelog.record(schema, entry))
        history += (entry,)


def _recorded(schema: Schema, entry: modelog.Entry) -> dict[str, object]:
    cells = {name: entry.get(name) for name in schema.columns if entry.get(name)}
    return {"recorded": {"kind": entry.kind, **cells}}


def _standing(
    schema: Schema, entries: tuple[modelog.Entry, ...], queue: tuple[Mapping[str, str], ...]
) -> dict[str, object]:
    """Rows, coverage, score, what is missing, and the next step."""
    owed = modescore.missing(schema, entries, queue)
    step = {"action": "add", "reason": owed[0]} if owed else {"action": "summary", "reason": "nothing is missing"}
    category = modescore.next_category(entries) if schema.mode == "fix" else ""
    return {
        "rows": len(entries),
        "coverage": modescore.coverage(schema, entries, queue),
        "score": modescore.score(schema, entries),
        "missing": list(owed),
        "next": {**step, **({"category": category} if category else {})},
    }


def summarize(folder: Path, fail_on: str, now: float) -> dict[str, object]:
    """Render every promised file, and answer with counts, score, coverage and the gate.

    `fail_on` is a severity or empty. `failed` is true when a gate was asked for and does not pass.
    """
    folder = folder.resolve()
    schema = modefolder.identify(folder)
    with modefolder.locked(folder, schema) as log:
        _take_over(log, schema, folder.parent.parent, now)
        entries, queue = modelog.read(schema, log.text), modelog.read_queue(log.text)
        gate = modescore.gate(schema, entries, queue, fail_on)
        modefolder.write_pages(folder, _pages(schema, folder, log.text, fail_on))
    return {
        "dir": str(folder),
        "mode": schema.mode,
        "agreed": modelog.read_agreed(log.text),
        "counts": modescore.counts(schema, entries),
        **_standing(schema, entries, queue),
        "gate": {"passed": gate.passed, "reason": gate.reason},
        "files": [schema.log, *schema.files],
        "failed": bool(fail_on) and not gate.passed,
    }


def _pages(schema: Schema, folder: Path, log: str, fail_on: str) -> dict[str, str]:
    entries, queue = modelog.read(schema, log), modelog.read_queue(log)
    gate = modescore.gate(schema, entries, queue, fail_on)
    return moderender.render(moderender.Folder(schema, folder.name, entries, queue, gate, modelog.read_agreed(log)))


def _stamp(now: float) -> str:
    return _utc(now, "%Y-%m-%dT%H:%M:%SZ")


def _utc(now: float, form: str) -> str:
    import time

    return time.strftime(form, time.gmtime(now))
