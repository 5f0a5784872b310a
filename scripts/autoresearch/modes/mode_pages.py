"""The Markdown files of a mode's folder, pure functions of the log. Text of entries is escaped here only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..kernel.core import text
from ..kernel.core.choices import SEVERITIES
from ..kernel.core.frozen import dataclass
from . import mode_score, ship_log
from .mode_entries import FIELD_LIMIT, ModeEntry
from .mode_schemas import LENSES, OWASP, PHASES, STRIDE, Schema

_SPECIAL = re.compile(r"([\\`*\[\]<>|#~$])|(?<![A-Za-z0-9])(_)|(_)(?![A-Za-z0-9])")
_CELL_LIMIT = 500


@dataclass(frozen=True)
class Folder:
    """All that the rendered files say: the folder's name, its entries, imported findings, and the gate."""

    schema: Schema
    name: str
    entries: tuple[ModeEntry, ...]
    queue: tuple[Mapping[str, str], ...]
    gate: mode_score.ModeGate
    agreed: str = ""

    def of(self, *kinds: str) -> tuple[ModeEntry, ...]:
        """The entries of these kinds."""
        return tuple(entry for entry in self.entries if entry.kind in kinds)


def render(folder: Folder) -> dict[str, str]:
    """File name to Markdown, for every file that the mode promises."""
    return {name: _FILES[folder.schema.mode, name](folder) for name in folder.schema.files}


def escaped(content: str, limit: int = _CELL_LIMIT) -> str:
    """One line of text in which nothing acts as Markdown or HTML; fit for tables, lists and headings."""
    return _SPECIAL.sub(lambda found: "\\" + found.group(), text.one_line(content, limit).replace("&", "&amp;"))


def _fenced(content: str) -> str:
    """Text with its lines kept, as a code block whose fence the text cannot close."""
    return text.fenced(content.strip("\n"), "text")


def _page(folder: Folder, title: str, *parts: str) -> str:
    note = f"Written from `{folder.schema.log}` by mode_log; edits made here are overwritten."
    return "\n\n".join([f"# {title}: {folder.name}", note, *filter(None, parts)]) + "\n"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], empty: str = "None recorded.") -> str:
    lines = [f"| {' | '.join(escaped(cell) or '-' for cell in row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(heads)} |", "|" + "---|" * len(heads), *lines]) if lines else empty


def _listed(entries: Iterable[ModeEntry], *names: str) -> str:
    heads = [_label(name) for name in names]
    return _table(heads, ([entry.get(name) for name in names] for entry in entries))


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}"


def _finding(title: str, entry: ModeEntry, names: Sequence[str]) -> str:
    facts = [f"- **{_label(name)}:** {_inline(entry.get(name))}" for name in names if not _long(entry.get(name))]
    blocks = [f"**{_label(name)}:**\n\n{_fenced(entry.get(name))}" for name in names if _long(entry.get(name))]
    return "\n\n".join([f"## {title}", "\n".join(facts), *blocks])


def _label(name: str) -> str:
    return {"stride": "STRIDE", "owasp": "OWASP"}.get(name, name.replace("_", " ").capitalize())


def _inline(content: str) -> str:
    return escaped(content) or "-"


def _long(content: str) -> bool:
    return "\n" in content or len(content) > _CELL_LIMIT


def _findings(folder: Folder) -> str:
    names = [name for name in folder.schema.kinds[_CONFIRMED[folder.schema.mode]] if name != "title"]
    names.append("lens" if folder.schema.mode == "security" else "leaves")
    found = mode_score.confirmed(folder.entries)
    parts = [_finding(f"F{n}: {escaped(entry.get('title'))}", entry, names) for n, entry in enumerate(found, 1)]
    return _page(folder, "Findings", *(parts or ["No finding is confirmed."]))


def _severity_table(folder: Folder) -> str:
    found = enumerate(mode_score.confirmed(folder.entries), 1)
    rows = ([f"F{number}", e.get("severity"), e.get("title"), e.get("location")] for number, e in found)
    return _table(("Id", "Severity", "Title", "Location"), rows, "No finding is confirmed.")


def _counted(folder: Folder) -> str:
    found = mode_score.counts(folder.schema, folder.entries)
    kinds = ", ".join(f"{found[kind]} {kind}" for kind in folder.schema.kinds if found[kind])
    return f"{len(folder.entries)} rows: {kinds}." if folder.entries else "Nothing is recorded yet."


def _owed(folder: Folder) -> str:
    owed = mode_score.missing(folder.schema, folder.entries, folder.queue, folder.agreed)
    return _section("Still missing", "\n".join(f"- {escaped(item)}" for item in owed)) if owed else ""


def _agreed(folder: Folder) -> str:
    return f"Agreed: {escaped(folder.agreed, FIELD_LIMIT)}" if folder.agreed else ""


def _verdict(folder: Folder) -> str:
    if folder.gate == mode_score.NO_GATE:
        return ""  # "passed" beside a critical finding would be read as a verdict
    return f"Gate: **{'passed' if folder.gate.passed else 'failed'}** ({escaped(folder.gate.reason)})."


def _eliminated(folder: Folder) -> str:
    tested = _hypotheses(folder.of("disproven"))
    return _page(folder, "Eliminated hypotheses", *(tested or ["No hypothesis is eliminated."]))


def _hypotheses(entries: Iterable[ModeEntry]) -> list[str]:
    """A section for each: what was seen is shown whole, for it may be the only record of the test."""
    return [
        _finding(f"{e.get('iteration')}: {escaped(e.get('hypothesis'))}", e, [n for n in _SEEN if e.get(n)])
        for e in entries
    ]


_SEEN = ("result", "location", "evidence", "reproduction")


def _debug_summary(folder: Folder) -> str:
    leads = _hypotheses(mode_score.open_leads(folder.entries))
    return _page(
        folder,
        "Debug summary",
        _agreed(folder),
        _counted(folder),
        _verdict(folder),
        _section("Findings", _severity_table(folder)),
        _section("Eliminated", f"{len(folder.of('disproven'))}, see `eliminated.md`."),
        _section("Open leads", "None." if not leads else f"{len(leads)}, each below."),
        _owed(folder),
        *leads,
    )


def _blocked(folder: Folder) -> str:
    return _page(folder, "Blocked", _listed(folder.of("blocked"), "iteration", "category", "finding", "description"))


def _fix_summary(folder: Folder) -> str:
    first = mode_score.at_first(folder.entries)
    left = mode_score.remaining(folder.entries).items()
    pending = {item["id"] for item in mode_score.open_findings(folder.entries, folder.queue)}
    queue = ([i["id"], i["severity"], i["title"], "open" if i["id"] in pending else "mended"] for i in folder.queue)
    numbers = _table(("Category", "At first", "Now"), ([name, first.get(name, ""), now] for name, now in left))
    return _page(
        folder,
        "Fix summary",
        _agreed(folder),
        _counted(folder),
        _verdict(folder),
        _section("Errors", numbers),
        _section("Kept", _listed(folder.of("keep"), "iteration", "commit", "metric", "delta", "description")),
        _section("Imported findings", _table(("Id", "Severity", "Title", "State"), queue)) if folder.queue else "",
        _owed(folder),
    )


def _overview(folder: Folder) -> str:
    found = mode_score.counts(folder.schema, folder.entries)
    covered = mode_score.coverage(folder.schema, folder.entries)
    facts = [f"{name} {covered[name]}" for name in ("stride", "owasp", "lens")]
    return _page(
        folder,
        "Security overview",
        _agreed(folder),
        _counted(folder),
        f"Score: **{mode_score.score(folder.schema, folder.entries)}** of 100; coverage: {', '.join(facts)}.",
        _verdict(folder),
        _table(("Severity", "Confirmed"), ([name, str(found[name])] for name in SEVERITIES)),
        _section("Findings", _severity_table(folder)),
        _section("Ruled out or inconclusive", _listed(folder.of("ruled-out"), "title", "result", "evidence")),
        _owed(folder),
    )


def _threat_model(folder: Folder) -> str:
    kinds = {"Assets": "asset", "Trust boundaries": "boundary", "Actors": "actor"}
    parts = [
        _section(title, _listed(folder.of(kind), "title", "description", "location")) for title, kind in kinds.items()
    ]
    found = mode_score.confirmed(folder.entries)
    threats = ([e.get("stride"), e.get("title"), e.get("scenario"), e.get("severity")] for e in found)
    return _page(
        folder,
        "Threat model",
        *parts,
        _section("Threats", _table(("STRIDE", "Threat", "Scenario", "Severity"), threats)),
    )


def _attack_surface(folder: Folder) -> str:
    return _page(folder, "Attack surface", _listed(folder.of("surface"), "title", "location", "description", "lens"))


def _coverage(folder: Folder) -> str:
    parts = [
        _section("STRIDE", _examined(folder, "stride", {name: name.capitalize() for name in STRIDE})),
        _section("OWASP Top 10 (2021)", _examined(folder, "owasp", {key: f"{key} {OWASP[key]}" for key in OWASP})),
        _section("Lenses", _examined(folder, "lens", {name: name.capitalize() for name in LENSES})),
    ]
    total = f"Score: **{mode_score.score(folder.schema, folder.entries)}** of 100."
    clean = _listed(folder.of("coverage"), "iteration", "stride", "owasp", "result", "evidence")
    return _page(folder, "Coverage", total, *parts, _section("Looked at without a finding", clean))


def _examined(folder: Folder, name: str, whole: Mapping[str, str]) -> str:
    looked = mode_score.looked_at(folder.entries, name)
    found = mode_score.looked_at(mode_score.confirmed(folder.entries), name)
    rows = ([title, "yes" if looked[key] else "no", str(found[key])] for key, title in whole.items())
    return _table(("Category", "Looked at", "Confirmed"), rows)


def _dependencies(folder: Folder) -> str:
    listed = _listed(folder.of("dependency"), "title", "version", "severity", "description", "location")
    return _page(folder, "Dependency audit", listed)


def _recommendations(folder: Folder) -> str:
    found = mode_score.confirmed(folder.entries)
    mends = (
        [f"F{number}", e.get("severity"), e.get("title"), e.get("mitigation")] for number, e in enumerate(found, 1)
    )
    return _page(
        folder,
        "Recommendations",
        _section("Mitigations of the findings", _table(("Id", "Severity", "Finding", "Mitigation"), mends)),
        _section("Further", _listed(folder.of("recommendation"), "severity", "title", "description")),
    )


def _checklist(folder: Folder) -> str:
    marks = {"pass": "x", "fail": " ", "skip": "-", "override": "!"}
    items = [
        f"- [{marks[state]}] {escaped(e.get('item'))} ({state}): {escaped(e.get('evidence'))}"
        for e in ship_log.checklist(folder.entries)
        for state in [e.get("status")]
    ]
    ready = ship_log.readiness(folder.entries)
    total = f"Readiness: **{ready} %**." if ready else "Nothing is checked yet."
    return _page(folder, "Checklist", total, "\n".join(items))


def _ship_summary(folder: Folder) -> str:
    done = ship_log.phases_done(folder.entries)
    phases = _table(("Phase", "Done"), ([phase, "yes" if phase in done else "no"] for phase in PHASES))
    actions = ("timestamp", "target", "command", "dry_run", "shipped", "verified", "duration", "notes")
    return _page(
        folder,
        "Ship summary",
        _agreed(folder),
        _counted(folder),
        _verdict(folder),
        _section("Phases", phases),
        _section("Actions", _listed(folder.of("action"), *actions)),
        _section("Rollback", _listed(folder.of("rollback"), "timestamp", "status", "command", "notes")),
        _section("Monitoring", _listed(folder.of("monitor"), "timestamp", "status", "evidence", "notes")),
        _owed(folder),
    )


_CONFIRMED = {"debug": "confirmed", "security": "finding"}
_FILES: Mapping[tuple[str, str], Callable[[Folder], str]] = {
    ("debug", "findings.md"): _findings,
    ("debug", "eliminated.md"): _eliminated,
    ("debug", "summary.md"): _debug_summary,
    ("fix", "blocked.md"): _blocked,
    ("fix", "summary.md"): _fix_summary,
    ("security", "overview.md"): _overview,
    ("security", "threat-model.md"): _threat_model,
    ("security", "attack-surface-map.md"): _attack_surface,
    ("security", "findings.md"): _findings,
    ("security", "coverage.md"): _coverage,
    ("security", "dependency-audit.md"): _dependencies,
    ("security", "recommendations.md"): _recommendations,
    ("ship", "checklist.md"): _checklist,
    ("ship", "summary.md"): _ship_summary,
}
