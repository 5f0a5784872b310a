"""Names that are one name, spelled in several ways."""

from __future__ import annotations

from concord.index import Uses


def fold(name: str) -> str:
    """What all spellings of a name have in common."""
    bare = name.strip("_")
    return bare.replace("_", "").lower()


def variants(uses: Uses) -> list[list[str]]:
    """Groups of two and more names that differ only in case and underscores, each sorted."""
    groups: list[list[str]] = []
    for name in sorted(uses):
        key = fold(name)
        for group in groups:
            if fold(group[0]) == key:
                group.append(name)
                break
        else:
            groups.append([name])
    return [group for group in groups if len(group) > 1]
