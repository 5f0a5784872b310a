"""Failing tests of runners that print TAP (testanything.org): tape, mocha, ava, node --test, tap."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, field
from . import toolbox
from .counted import Counted
from .testruns import BROKEN, FAILED, PASSED, SKIPPED, Test, counted
from .toolbox import Request

_LINE = re.compile(
    r"^(?P<depth> *)(?P<failed>not )?ok\b(?: +\d+)?(?: +-)?(?P<name>[^#\n]*?)"
    r"(?P<mark> +# *(?i:skip|todo)\b.*)?(?: +#.*)?$"
)
# A file that cannot be loaded: node --test names it in place of its tests, ava says so.
_UNLOADED = re.compile(r"^\S+\.[cm]?[jt]sx?$|^(?:No tests found in|Uncaught exception in|\S+ exited with a non-zero)")
_PLAN = re.compile(r"^1\.\.(\d+)")
_PLACE = re.compile(r"(?<![\w/])((?:file://)?[\w@./-]+\.[cm]?[jt]sx?):(\d+)")
_SAID = re.compile(r"^ *(?:error|message|operator): *[\"'|>-]* *([^\s\"'|>].*?)[\"']?$", re.MULTILINE)


@dataclass(frozen=True)
class _Point:
    """One line that says how a test went, the comment above it, and what is told below it."""

    depth: int
    failed: bool
    name: str
    mark: bool
    below: list[str] = field(default_factory=list)


def tap(request: Request) -> Counted:
    """Failing tests of the command that prints TAP; one that ends early, or bails out, gives no number."""
    return counted(request, lambda seed: list(_tests(request)))


def _tests(request: Request) -> Iterator[Test]:
    ran = toolbox.shell(request.command(), request, {"CI": "1"})
    points = list(_points(ran.out))
    top = [point for point in points if not point.depth]
    plans = [int(match[1]) for line in ran.out.splitlines() if (match := _PLAN.match(line))]
    failed = any(point.failed for point in points)
    if "\nBail out!" in f"\n{ran.out}" or (ran.code and not failed) or (plans and sum(plans) != len(top)):
        raise toolbox.broken("the test command", ran)
    if not points:
        raise Refusal("the command printed no TAP, expected lines `ok` and `not ok`; see --reporter of the runner")
    seen: dict[str, int] = {}
    for point in _leaves(points):
        seen[point.name] = seen.get(point.name, 0) + 1
        name = point.name if seen[point.name] == 1 else f"{point.name} ({seen[point.name]})"
        yield _test(name, point, request)


def _points(text: str) -> Iterator[_Point]:
    """The test lines, each with the lines up to the next one; tape names its tests by comments."""
    comment, last = "", None
    for line in text.splitlines():
        match = _LINE.match(line)
        if match:
            if last:
                yield last
            name = " ".join(filter(None, (comment, match["name"].strip()))) or "a test"
            last = _Point(len(match["depth"]), bool(match["failed"]), name, bool(match["mark"]))
            continue
        if line.startswith("# "):
            comment = "" if line.startswith("# Subtest") else line[2:].strip()
        if last:
            last.below.append(line)
    if last:
        yield last


def _leaves(points: list[_Point]) -> Iterator[_Point]:
    """The tests without those that only sum up others: a line behind deeper ones; where none of these failed and the
    line says failed, it stands for itself."""
    inner: list[_Point] = []
    for point in points:
        mine = [one for one in inner if one.depth > point.depth]
        if not mine or (point.failed and not any(one.failed for one in mine)):
            yield point
        inner = [one for one in inner if one.depth <= point.depth] + [point]


def _test(name: str, point: _Point, request: Request) -> Test:
    if point.mark or not point.failed:
        return Test(name, SKIPPED if point.mark else PASSED)
    below = "\n".join(point.below)
    if _UNLOADED.search(point.name):
        return Test(toolbox.relative(point.name, request.root), BROKEN, text=_error(below))
    places = (
        match for match in _PLACE.finditer(below) if "node_modules" not in match[1] and "internal/" not in match[1]
    )
    place = next(places, None)
    path = toolbox.relative(place[1].removeprefix("file://"), request.root) if place else ""
    return Test(name, FAILED, path, int(place[2]) if place else 0, _error(below))


def _error(below: str) -> str:
    """What the lines below a failed test say first of the error."""
    said = _SAID.search(below)
    return said[1] if said else "not ok"
