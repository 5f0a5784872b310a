"""Coverage: lines that no test runs, and the per cent. Nothing to cover, or no data, is no number."""

from __future__ import annotations

import re
from decimal import Decimal

from ..kernel.core.errors import Refusal
from .contents import Number, count, decimal, document, elements, get

# The tags of geninfo(1), versions 1 and 2.
_LCOV = re.compile(r"(?:TN|SF|VER|FN|FNDA|FNF|FNH|FNL|FNA|BRDA|BRF|BRH|DA|LF|LH|MCDC|MCF|MCH):|end_of_record$|#")


def _lines(missed: int, lines: int) -> list[Number]:
    if not lines:
        raise Refusal("it covers no lines")
    if not 0 <= missed <= lines:
        raise Refusal(f"it says {missed} of {lines} lines, which cannot be")
    if missed == lines:
        raise Refusal("no line was run at all, so no test ran")
    percent = (Decimal(100) * (lines - missed) / lines).quantize(Decimal("0.0001"))
    return [Number("missed_lines", Decimal(missed)), Number("lines", Decimal(lines)), Number("percent", percent, "%")]


def coverage_json(text: str) -> list[Number]:
    """coverage.py, `coverage json`: `missed_lines`, `lines`, `percent` of lines; with branches `missed_branches`."""
    totals = get(document(text), "totals", dict)
    missed, lines = (count(get(totals, name), name) for name in ("missing_lines", "num_statements"))
    if count(get(totals, "covered_lines"), "covered_lines") != lines - missed:
        raise Refusal("its totals do not add up")
    found = _lines(missed, lines)
    if "missing_branches" in totals:
        found.append(Number("missed_branches", Decimal(count(totals["missing_branches"], "missing_branches"))))
    return found


def coverage_xml(text: str) -> list[Number]:
    """Cobertura XML (`coverage xml`, gcovr, istanbul): the totals of its root, compared with its lines."""
    found = elements(text, ("coverage",))
    given = found[0].given
    if "lines-valid" not in given or "lines-covered" not in given:
        raise Refusal("its root has no lines-valid and lines-covered")
    lines, covered = (count(given[name], name) for name in ("lines-valid", "lines-covered"))
    hits = [decimal(item.given.get("hits"), "hits") for item in found if item.tag == "line"]
    if sum(1 for hit in hits if hit > 0) < covered or len(hits) < lines:
        raise Refusal("it holds fewer lines than its root says")
    return _lines(lines - covered, lines)


def lcov(text: str) -> list[Number]:
    """An lcov tracefile (lcov, coverage.py, c8): lines found and hit, summed over its records and compared with DA."""
    foreign = next((line for line in text.rstrip().split("\n") if not _LCOV.match(line.strip())), None)
    if foreign is not None:
        raise Refusal(f"the line {foreign[:60]!r} is none of a tracefile")
    records = text.split("end_of_record")
    if len(records) < 2 or records[-1].strip():
        raise Refusal("it does not end with end_of_record")
    totals = [_record(record) for record in records[:-1]]
    lines, hit = (sum(column) for column in zip(*totals))
    return _lines(lines - hit, lines)


def _record(record: str) -> tuple[int, int]:
    said: dict[str, int] = {}
    lines: dict[str, bool] = {}
    named = False
    for line in record.splitlines():
        tag, _, rest = line.strip().partition(":")
        if tag in ("LF", "LH"):
            said[tag] = count(rest, tag)
        elif tag == "SF":
            named = True
        elif tag == "DA":
            number, _, hits = rest.partition(",")
            lines[number] = lines.get(number, False) or count(hits.partition(",")[0], "DA") > 0
    if not named:
        raise Refusal("a record has no SF; the beginning may be lost")
    counted = (len(lines), sum(lines.values()))
    if (said.get("LF", counted[0]), said.get("LH", counted[1])) != counted:
        raise Refusal("a record's LF and LH are not those of its lines")
    return counted
