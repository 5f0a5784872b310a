"""The names that matter most."""

from __future__ import annotations

from concord.index import Place, Uses


def most_used(uses: Uses, limit: int) -> list[str]:
    """The names with the most uses, most first; ties in alphabetical order."""
    ranking: list[str] = []
    remaining = sorted(uses)
    while remaining and len(ranking) < limit:
        best = remaining[0]
        for name in remaining:
            if len(uses[name]) > len(uses[best]):
                best = name
        ranking.append(best)
        remaining.remove(best)
    return ranking


def spread(places: list[Place]) -> int:
    """In how many files a name is used."""
    paths = set()
    for place in places:
        paths.add(place.path)
    return len(paths)


def most_spread(uses: Uses, limit: int) -> list[str]:
    """The names used in the most files, most first; ties in alphabetical order."""
    ranked = sorted((-spread(places), name) for name, places in uses.items())
    return [name for _, name in ranked[:limit]]
