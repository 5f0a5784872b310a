"""The whole report as text."""

from __future__ import annotations

from concord.index import Place, build
from concord.ranking import most_spread, most_used
from concord.source import read_lines
from concord.spelling import variants


def line_at(place: Place) -> str:
    """The source line of a place, without indentation."""
    return read_lines(place.path)[place.line - 1].strip()


def row(name: str, places: list[Place]) -> str:
    """One line of the table: name, uses, and the line that uses it first."""
    return f"{name:<20} {len(places):>5}  {line_at(places[0])}"


def summary(paths: list[str], limit: int = 20) -> str:
    """The whole report on some files, as text."""
    uses = build(paths)
    parts = [f"{len(uses)} names in {len(paths)} files", "", "Most used"]
    parts += [row(name, uses[name]) for name in most_used(uses, limit)]
    parts += ["", "In most files", ", ".join(most_spread(uses, limit))]
    parts += ["", "Spelled in several ways"]
    parts += [", ".join(group) for group in variants(uses)]
    return "\n".join(parts)
