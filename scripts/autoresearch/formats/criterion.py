"""Criterion.rs: what `cargo bench` prints, and the samples that it writes below `target/criterion`."""

from __future__ import annotations

import re

from ..kernel.core.errors import Refusal
from ..reading.quantity import Quantity, converted
from .contents import Number, decimal, document, get, middle

_UNITS = "ps|ns|[u\u00b5\u03bc]s|ms|s"
_ONE = rf"[0-9.]+ (?:{_UNITS})"
_TIME = re.compile(rf"(?P<name>\S.*?)?[ ]*\btime:[ ]+\[{_ONE} (?P<middle>[0-9.]+) (?P<unit>{_UNITS}) {_ONE}\]")
_LIKE = re.compile(r"\btime:[ ]+\[(?![-+\u2212\d.]+%)")
_STARTED = re.compile(r"Benchmarking ([^\n]+?)(?:: .*)?")
_FAILED = re.compile(r"^(?:error(?:\[E\d+\])?: |thread '.*' .*panicked at|test result: FAILED).*", re.MULTILINE)


def criterion(text: str) -> list[Number]:
    """Nanoseconds by name: the middle of the interval that `cargo bench` prints, or, of a `sample.json`, the median of
    its samples (`time`). A benchmark that began and has no result is refused."""
    return _samples(text) if text.lstrip().startswith("{") else _printed(text)


def _samples(text: str) -> list[Number]:
    data = document(text)
    times, runs = (get(data, name, list) for name in ("times", "iters"))
    if len(times) != len(runs):
        raise Refusal("its times and iters are not of one length")
    counted = [decimal(run, "iters") for run in runs]
    if not counted or min(counted) <= 0:
        raise Refusal("it has a sample without runs")
    return [Number("time", middle([decimal(time, "times") / run for time, run in zip(times, counted)], "time"), "ns")]


def _printed(text: str) -> list[Number]:
    failed = _FAILED.search(text)
    if failed:
        raise Refusal(f"it says {failed[0][:80]!r}")
    found: list[Number] = []
    began, above = dict[str, None](), ""
    for line in text.split("\n"):
        started = _STARTED.fullmatch(line)
        match = _TIME.fullmatch(line.rstrip())
        if started:
            began[started[1]] = None
        elif match:
            found.append(_number(match, above))
        elif _LIKE.search(line):
            raise Refusal(f"the line {line.strip()[:80]!r} is no whole result")
        above = line
    lost = [name for name in began if name not in {number.name for number in found}]
    if lost:
        raise Refusal(f"{lost[0]!r} has no result; the run may have been cut short")
    return found


def _number(match: re.Match[str], above: str) -> Number:
    """A long name stands on a line of its own above its time."""
    name = match["name"] or above.strip()
    if not name or (not match["name"] and above[:1] in " \t"):
        raise Refusal(f"the line {match[0].strip()[:80]!r} has no name")
    value, unit = decimal(match["middle"], name), match["unit"]
    if value <= 0:
        raise Refusal(f"{name} is not positive")
    return Number(name, value / 1000 if unit == "ps" else converted(Quantity(value, unit), "ns"), "ns")
