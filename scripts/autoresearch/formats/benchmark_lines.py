"""Benchmarks whose tool prints lines. A line that only looks like one is no result: what does not fit is refused."""

from __future__ import annotations

import re

from ..kernel.core.errors import Refusal
from .contents import Number, decimal, middle

_GO = re.compile(r"^(Benchmark[^\s]*?)(?:-\d+)?[ \t]+\d+((?:[ \t]+[^\s]+[ \t]+[^\s]+)+)[ \t]*$", re.MULTILINE)
_GO_FAILED = re.compile(r"^(?:---[ \t]+FAIL|FAIL\b|panic:|# |ok .*\[no tests to run\]).*", re.MULTILINE)
_LIBTEST = re.compile(
    r"^test ([^\s]+)[ \t]+(?:-[ \t]\w+[ \t]+)?\.\.\. bench:[ \t]+([0-9][0-9,]*(?:\.[0-9]+)?) (ns)/iter "
    r"\(\+/- [0-9.,]+\)"
)
_GROUPED = re.compile(r"\d{1,3}(,\d{3})*(\.\d+)?|\d+(\.\d+)?")


def go(text: str) -> list[Number]:
    """`go test -bench` (also with `-count`): ns/op by name, other units as `NAME B/op`; medians of the repetitions."""
    failed = _GO_FAILED.search(text)
    if failed:
        raise Refusal(f"it says {failed[0][:80]!r}")
    if not re.search(r"^(PASS|ok[ \t])", text, re.MULTILINE):
        raise Refusal("it has no PASS; the run may have been cut short")
    if not re.search(r"^pkg: ", text, re.MULTILINE):
        raise Refusal("it has no line 'pkg:' above the results; its beginning may be lost")
    found: dict[tuple[str, str], list[str]] = {}
    for match in _GO.finditer(text):
        words = match[2].split()
        for value, unit in zip(words[::2], words[1::2]):
            found.setdefault((match[1], unit), []).append(value)
    loose = [line for line in text.splitlines() if line.startswith("Benchmark") and not _GO.match(line)]
    if loose:
        raise Refusal(f"the line {loose[0][:80]!r} is no whole result")
    times = [_go_number(name, unit, values) for (name, unit), values in found.items() if unit == "ns/op"]
    rest = [_go_number(name, unit, values) for (name, unit), values in found.items() if unit != "ns/op"]
    return [*times, *rest]


def _go_number(name: str, unit: str, values: list[str]) -> Number:
    if unit == "ns/op":
        return Number(name, middle(values, name), "ns")
    ordered = sorted(decimal(value, f"{name} {unit}") for value in values)
    if ordered[0] != ordered[-1]:  # the middle one as it was printed
        return Number(f"{name} {unit}", ordered[len(ordered) // 2], unit)
    return Number(f"{name} {unit}", ordered[0], unit)


def libtest(text: str) -> list[Number]:
    """Rust's `cargo bench` with `#[bench]`: ns/iter by name."""
    if not re.search(r"^test result: ok\. .*\d+ measured; \d+ filtered out", text, re.MULTILINE):
        raise Refusal("it has no whole line 'test result: ok'")
    if re.search(r"^test result: (?!ok)|\.\.\. FAILED", text, re.MULTILINE):
        raise Refusal("a benchmark failed")
    found = []
    for line in text.splitlines():
        match = _LIBTEST.fullmatch(line.split(" = ")[0].rstrip())
        if match:
            found.append(Number(match[1], middle([_ungrouped(match[2])], match[1]), match[3]))
        elif "bench:" in line:
            raise Refusal(f"the line {line[:80]!r} is no whole result")
    return found


def _ungrouped(text: str) -> str:
    if not _GROUPED.fullmatch(text):
        raise Refusal(f"{text[:40]!r} is not grouped by thousands")
    return text.replace(",", "")
