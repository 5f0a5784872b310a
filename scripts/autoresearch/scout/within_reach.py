"""How much of a number can be reached: findings in files that are generated, vendored or outside the scope, and lines
that no test can run here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..checks import toolbox
from ..kernel.core import scope

_FINDING = re.compile(r"^([^\s:#][^\n:]*):(\d+): (?:(\d+) (lines|statements|times) |(?:the )?(way) )?", re.MULTILINE)
_VENDORED = re.compile(r"(?:^|/)(?:_?vendor(?:ed)?|third_?party|_?extern(?:al)?|node_modules|bower_components)/")
_MADE_NAMES = re.compile(
    r"_pb2(?:_grpc)?\.pyi?$|\.pb\.go$|[._-]generated\.|(?:^|/)(?:generated|gen)/|\.min\.js$|(?:^|/)migrations/\d"
    r"|(?:^|/)(?:_version|versioneer)\.py$"
)
_MADE_TEXT = re.compile(r"@generated\b|code generated|(?:auto(?:matically)?[- ]?)generated|do not edit", re.IGNORECASE)
# What a line that is not run says of itself, in it or in the one that leads to it.
_UNRUN = (
    (re.compile(r"\bif (?:\w+\.)?TYPE_CHECKING\b"), "behind TYPE_CHECKING"),
    (re.compile(r"\bif __name__ =="), "run as a program alone"),
    (re.compile(r"\bexcept \(?(?:ImportError|ModuleNotFoundError)"), "for a package that is not here"),
    (re.compile(r"sys\.version_info|sys\.platform|os\.name\b|platform\.system"), "for another Python or system"),
    (re.compile(r"\braise NotImplementedError|@(?:\w+\.)?(?:overload|abstractmethod)\b"), "abstract"),
)
_HEAD = 1500  # characters of a file in which a generator says so
NOTHING = "so about 0 can go"
_LEAST = 1  # findings of a kind that are told


def told(out: str, root: Path, offered: str) -> str:
    """The clause on what of a check's findings is out of reach of a run with this scope, "" where all is in reach."""
    counts = Counter[str]()
    total = 0
    for path, line, many, what, way in _FINDING.findall(out):
        weight = int(many or 1)
        total += weight
        why = _why(root, path, int(line), offered, way or what in ("lines", "statements"))
        counts[why] += weight if why else 0
    rows = [f"{count} {why}" for why, count in counts.most_common(4) if why and count >= _LEAST]
    left = total - sum(count for why, count in counts.items() if why)
    return f"; out of reach: {', '.join(rows)}, so about {left} can go" if rows else ""


def _why(root: Path, path: str, line: int, offered: str, unrun: bool) -> str:
    if path == "?":
        return "sent by libraries"
    if _VENDORED.search(path):
        return "in vendored code"
    text = _text(root, path)
    if _MADE_NAMES.search(path) or _MADE_TEXT.search(text[:_HEAD]):
        return "in generated files"
    if offered and not unrun and not scope.matcher(offered)(path):
        return "outside the scope"
    near = " ".join(_near(text, line)) if unrun else ""
    return next((why for pattern, why in _UNRUN if pattern.search(near)), "")


def _text(root: Path, path: str) -> str:
    place = root / path
    return toolbox.read(place) if place.is_file() else ""


def _near(text: str, line: int) -> Iterator[str]:
    """A line, and the nearest one above that is indented less."""
    lines = text.split("\n")
    if not 0 < line <= len(lines):
        return
    yield lines[line - 1]
    depth = len(lines[line - 1]) - len(lines[line - 1].lstrip())
    for above in reversed(lines[: line - 1]):
        if above.strip() and len(above) - len(above.lstrip()) < depth:
            yield above
            return
