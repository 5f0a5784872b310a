"""The vocabulary of debug, fix, security and ship: what the log of each mode may hold."""

from __future__ import annotations

from collections.abc import Mapping

from ..kernel.core import text
from ..kernel.core.choices import SEVERITIES
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from ..kernel.core.rows import COLUMNS as FIX_COLUMNS
from ..kernel.core.statuses import TABLE

STRIDE = (
    "spoofing",
    "tampering",
    "repudiation",
    "information disclosure",
    "denial of service",
    "elevation of privilege",
)
OWASP = {
    "A01": "Broken Access Control",
    "A02": "Cryptographic Failures",
    "A03": "Injection",
    "A04": "Insecure Design",
    "A05": "Security Misconfiguration",
    "A06": "Vulnerable and Outdated Components",
    "A07": "Identification and Authentication Failures",
    "A08": "Software and Data Integrity Failures",
    "A09": "Security Logging and Monitoring Failures",
    "A10": "Server-Side Request Forgery",
}
LENSES = ("application", "supply chain", "insider", "infrastructure")
CATEGORIES = ("build", "bugs-high", "types", "tests", "bugs-other", "lint")
PHASES = ("identify", "inventory", "checklist", "prepare", "dry-run", "ship", "verify", "log")
SHIPMENTS = tuple(
    "code-pr code-release deployment content marketing-email marketing-campaign sales research design".split()
)


@dataclass(frozen=True)
class Schema:
    """What one mode's log may hold. `kinds` maps a kind of entry to the fields it must have."""

    mode: str
    log: str
    columns: tuple[str, ...]
    kinds: Mapping[str, tuple[str, ...]]
    extras: tuple[str, ...]  # fields without a column
    choices: Mapping[str, tuple[str, ...]]
    files: tuple[str, ...]  # rendered from the log

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field a row may carry."""
        return self.columns + self.extras


_BUG = tuple("title severity location hypothesis evidence reproduction impact root_cause suggested_fix".split())
_AUDIT = tuple("iteration type title result severity confidence lens stride owasp location description".split())
_FINDING = tuple("title location scenario impact confidence severity stride owasp mitigation evidence".split())
_LISTED = ("title", "description")

SCHEMAS: Mapping[str, Schema] = {
    schema.mode: schema
    for schema in (
        Schema(
            "debug",
            "debug-results.tsv",
            ("iteration", "type", "hypothesis", "result", "severity", "location", "description"),
            {
                "confirmed": _BUG,
                "disproven": ("hypothesis", "evidence"),
                "inconclusive": ("hypothesis", "evidence"),
                "new lead": ("hypothesis",),
            },
            ("title", "evidence", "reproduction", "impact", "root_cause", "suggested_fix", "leaves"),
            {"result": ("confirmed", "disproven", "inconclusive", "new lead"), "severity": SEVERITIES},
            ("findings.md", "eliminated.md", "summary.md"),
        ),
        Schema(
            "fix",
            "fix-results.tsv",
            FIX_COLUMNS,
            {name: (*status.needs, "description") for name, status in TABLE.items()},
            ("category", "finding", "muted", "run", "counts"),
            {"guard": ("pass", "fail"), "category": CATEGORIES, "status": tuple(sorted(TABLE))},
            ("blocked.md", "summary.md"),
        ),
        Schema(
            "security",
            "security-audit-results.tsv",
            _AUDIT,
            {
                "finding": _FINDING,
                "ruled-out": ("title", "evidence"),
                "coverage": ("evidence",),
                "asset": _LISTED,
                "boundary": _LISTED,
                "actor": _LISTED,
                "surface": _LISTED,
                "dependency": ("title", "version", "description"),
                "recommendation": _LISTED,
            },
            ("scenario", "impact", "mitigation", "evidence", "version"),
            {
                "type": (
                    *("finding", "coverage", "asset", "boundary", "actor", "surface", "dependency"),
                    "recommendation",
                ),
                "result": ("confirmed", "disproven", "inconclusive", "clean", "not applicable"),
                "severity": SEVERITIES,
                "confidence": ("high", "medium", "low"),
                "lens": LENSES,
                "stride": STRIDE,
                "owasp": tuple(OWASP),
            },
            (
                *("overview.md", "threat-model.md", "attack-surface-map.md", "findings.md", "coverage.md"),
                *("dependency-audit.md", "recommendations.md"),
            ),
        ),
        Schema(
            "ship",
            "ship-log.tsv",
            tuple("timestamp type target checklist_score dry_run shipped verified duration notes".split()),
            {
                "action": ("type", "target", "dry_run"),
                "phase": ("phase", "notes"),
                "check": ("item", "status", "evidence"),
                "rollback": ("command", "status"),
                "monitor": ("status", "evidence"),
            },
            ("kind", "phase", "item", "status", "evidence", "command", "approved", "force"),
            {
                "type": (*SHIPMENTS, "check", "rollback", "monitor"),
                "phase": PHASES,
                **dict.fromkeys(("dry_run", "shipped", "verified", "approved", "force"), ("yes", "no")),
            },
            ("checklist.md", "summary.md"),
        ),
    )
}


def schema_of(mode: str) -> Schema:
    """The schema of `mode`; raises `Refusal` naming the modes that have a folder."""
    if mode not in SCHEMAS:
        known = ", ".join(SCHEMAS)
        raise Refusal(f"mode {text.one_line(mode, 40)!r} has no folder, expected one of {known}; pass one of them")
    return SCHEMAS[mode]
