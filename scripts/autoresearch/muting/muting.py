"""Signals that a patch mutes instead of fixing: skip markers, ignore comments, casts, removed tests."""

from __future__ import annotations

import re
from collections import Counter

from ..kernel.core.text import listing
from ..kernel.run.context import Run

_MARKERS = (
    # Python
    r"#\s*(?:type|pyright|mypy|ty)\s*:\s*ignore\b[-\w]*",
    r"#\s*(?:ruff\s*:\s*|flake8\s*:\s*)?noqa\b",
    r"#\s*pylint\s*:\s*disable\b",
    r"#\s*pragma\s*:\s*no\s*cover",
    r"#\s*nosec\b",
    r"\bmark\.(?:skip|skipif|xfail)\b",
    r"\b(?:pytest|unittest)\.(?:skip\w*|xfail|expectedFailure)\b",
    r"\bself\.skipTest\b",
    # JavaScript, TypeScript
    r"\b(?:eslint|biome|tslint|oxlint)-(?:disable|ignore)[-\w]*|\btslint:disable[-\w]*",
    r"@ts-(?:ignore|nocheck|expect-error)\b",
    r"\bas\s+any\b(?=\s*(?:$|[];,)}>=|&.?:]))",
    r"\b(?:it|test|describe|suite|context)\.(?:skip|todo|only)\b",
    r"\b(?:xit|xtest|xdescribe|fdescribe|fit)\s*\(\s*['\"`]",
    # Other languages
    r"//\s*nolint\b|\bNOLINT(?:NEXTLINE|BEGIN)?\b",
    r"\bt\.Skip(?:f|Now)?\(",
    r"#!?\[(?:allow|ignore)\b",
    r"@(?:Disabled|Ignore|SuppressWarnings|phpstan-ignore[-\w]*|psalm-suppress)\b",
    r"\brubocop\s*:\s*(?:disable|todo)\b",
    r"#\s*pragma\s+(?:warning\s+disable|(?:GCC|clang)\s+diagnostic\s+ignored)",
    # Shell and pipelines
    r"\|\|\s*(?:true|:)(?=\s|$|['\";)])",
    r"\bcontinue-on-error\s*:\s*true\b|\ballow_failure\s*:\s*true\b",
)
_MUTED = re.compile("|".join(f"(?:{marker})" for marker in _MARKERS))
_TEST = re.compile(
    r"^\s*(?:(?:async\s+)?def\s+(test\w*)\s*\(|func\s+(Test\w+)\s*\(|(?:it|test)\s*\(\s*(['\"`].+?['\"`])\s*,)"
)
_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_PROSE = (".md", ".rst", ".txt", ".adoc")


def muted_signals(patch: str) -> tuple[str, ...]:
    """What a unified diff mutes, as `path:line: marker`, and tests it removes, as `path: removed NAME`.

    Lines that only moved count for nothing: a marker is reported as often as it was added more than removed.
    Prose files are not looked at. The empty tuple means that the patch mutes nothing that is known here.
    """
    removed: Counter[str] = Counter()
    added: list[tuple[str, str]] = []
    gone: dict[str, str] = {}
    kept: set[str] = set()
    for sign, where, line in _changes(patch):
        markers = [match.group().strip() for match in _MUTED.finditer(line)]
        tests = ["".join(filter(None, match.groups())) for match in _TEST.finditer(line)]
        if sign == "+":
            added += [(where, marker) for marker in markers]
            kept.update(tests)
        else:
            removed.update(markers)
            gone.update((test, where.rpartition(":")[0]) for test in tests)
    found = [f"{where}: {marker}" for where, marker in added if not _settled(removed, marker)]
    return (*found, *(f"{path}: removed {test}" for test, path in gone.items() if test not in kept))


def _settled(removed: Counter[str], marker: str) -> bool:
    """Whether an earlier line of the patch took this very marker away; uses it up."""
    removed[marker] -= 1
    return removed[marker] >= 0


def _changes(patch: str) -> list[tuple[str, str, str]]:
    """The `+` and `-` lines of a diff as (sign, `path:line`, text)."""
    changes: list[tuple[str, str, str]] = []
    path, number, left = "", 0, (0, 0)
    for line in patch.split("\n"):
        hunk = _HUNK.match(line)
        if hunk:
            number, left = int(hunk[2]), (int(hunk[1] or 1), int(hunk[3] or 1))
        elif left == (0, 0):
            path = _named(line) or path
        elif not line.startswith("\\"):
            if line[:1] in ("+", "-") and not path.endswith(_PROSE):
                changes.append((line[0], f"{path}:{number}", line[1:]))
            number += not line.startswith("-")
            left = (left[0] - (not line.startswith("+")), left[1] - (not line.startswith("-")))
    return changes


def _named(line: str) -> str:
    """The path in a `--- a/x` or `+++ b/x` line, empty for other lines and for the null device."""
    if not line.startswith(("--- ", "+++ ")):
        return ""
    name = line[4:].split("\t")[0].strip().strip('"')
    return "" if name == "/dev/null" else re.sub(r"^[abciow]/", "", name)


def refusal(run: Run, patch: bytes) -> str:
    """The refusal for a fix that mutes signals instead of fixing them, "" for any other."""
    found = muted_signals(patch.decode("utf-8", "replace")) if run.mode == "fix" else ()
    if not found:
        return ""
    return (
        f"the edit mutes signals instead of fixing their cause ({listing(found)}); nothing was run. "
        "Take that out, then run the trial again"
    )
