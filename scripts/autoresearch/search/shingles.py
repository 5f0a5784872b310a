"""How near one patch is to another, and what it brings back. Pure.

Nearness is the share of shingles that two patches have in common (Broder 1997, Compression and Complexity of
Sequences: resemblance of documents), over the words of their changed lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

WIDTH = 3  # words of a shingle
LEAST = 12  # words: less is too little to be called a repeat
NEAR = 0.9
_WORD = re.compile(r"\w+|[^\w\s]")
_LONG = 12  # characters of a line that says something


def changes(patch: str) -> Iterator[tuple[str, str, str]]:
    """Each changed line of a patch in git's format as (`+` or `-`, path, text without outer blanks), empty ones out."""
    path, inside = "", False
    for line in patch.split("\n"):
        if line.startswith("diff --git "):
            path, inside = line.rpartition(" b/")[2], False
        elif line.startswith("@@ "):
            inside = True
        elif inside and line[:1] in ("+", "-") and line[1:].strip():
            yield line[0], path, line[1:].strip()


def of(patch: str) -> frozenset[str]:
    """The shingles of a patch; none where it has too few words."""
    words = [sign + word for sign, _, text in changes(patch) for word in _WORD.findall(text)]
    if len(words) < LEAST:
        return frozenset()
    return frozenset(" ".join(words[at : at + WIDTH]) for at in range(len(words) - WIDTH + 1))


def resemblance(one: frozenset[str], other: frozenset[str]) -> float:
    """From 0 to 1; 0 where there is nothing to compare."""
    return len(one & other) / len(one | other) if one and other else 0.0


def deleted(patch: str) -> frozenset[tuple[str, str]]:
    """The telling lines that a patch takes away for good: path and text."""
    return _more_of("-", patch)


def added(patch: str) -> frozenset[tuple[str, str]]:
    """The telling lines that a patch brings."""
    return _more_of("+", patch)


def _more_of(wanted: str, patch: str) -> frozenset[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for sign, path, text in changes(patch):
        found[path, text] += 1 if sign == wanted else -1
    return frozenset(line for line, count in found.items() if count > 0 and len(line[1]) >= _LONG)


def brings_back(patch: str, kept: str) -> int:
    """How many telling lines that `kept` deleted the patch adds again; 0 where they are a small part of it, as a single
    one beside others is: `for item in items:` stands in many a new function."""
    new = added(patch)
    back = len(new & deleted(kept))
    return back if (back >= 3 and 5 * back >= len(new)) or back == len(new) or (back == 2 and len(new) <= 4) else 0
