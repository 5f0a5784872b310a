"""Delta debugging: the smallest group of units that must go for the rest to pass.

ddmin of Zeller & Hildebrandt 2002 (IEEE Trans. Software Eng. 28:183), applied to what is taken out: nothing is known
of how units depend on each other, only whether the rest passes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any


class NoMoreTests(Exception):
    """No further test may be paid for."""


class Search:
    """One search over the units of an edit: what was tested is never tested again, and at most `most` tests are run.

    `passes` gets the units that stay, in their order; `pays` the share of the edit that a test may save: the search
    ends where it says no.
    """

    def __init__(
        self,
        units: Sequence[Any],
        passes: Callable[[Sequence[Any]], bool],
        most: int,
        pays: Callable[[float], bool] = lambda share: True,
    ) -> None:
        """Nothing is tested until `smallest` is asked for."""
        self._units, self._passes, self._most, self._pays = tuple(units), passes, most, pays
        self._known: dict[frozenset[Any], bool] = {}
        self.best: tuple[Any, ...] | None = None  # the fewest units whose absence passed

    @property
    def tests(self) -> int:
        """How many tests were run."""
        return len(self._known)

    def smallest(self, groups: Sequence[Sequence[Any]]) -> None:
        """Bring `best` down to as few of these groups as can be found; needs no group to pass."""
        try:
            _reduce(groups, self._goes)
        except NoMoreTests:
            pass

    def _goes(self, groups: Sequence[Sequence[Any]]) -> bool:
        """Whether the edit passes without these groups."""
        out = tuple(unit for group in groups for unit in group)
        gone = frozenset(out)
        if gone not in self._known:
            stay = [unit for unit in self._units if unit not in gone]
            if not stay:
                return False
            if self.tests >= self._most or not self._pays(self._saved(out)):
                raise NoMoreTests
            self._known[gone] = self._passes(stay)
            if self._known[gone] and (self.best is None or len(out) < len(self.best)):
                self.best = out
        return self._known[gone]

    def _saved(self, out: Sequence[Any]) -> float:
        """The share of the edit that passes in addition, when it passes without `out`."""
        return ((len(self._units) if self.best is None else len(self.best)) - len(out)) / len(self._units)


def _reduce(items: Sequence[Any], goes: Callable[[Sequence[Any]], bool]) -> None:
    """ddmin: halves, then complements, then finer, until no single one can stay."""
    parts = 2
    while len(items) > 1:
        chunks = _chunks(items, parts)
        rests = [[item for item in items if item not in chunk] for chunk in chunks] if parts > 2 else []
        kept = next((chunk for chunk in chunks if goes(chunk)), None)
        if kept is not None:
            items, parts = kept, 2
            continue
        rest = next((rest for rest in rests if goes(rest)), None)
        if rest is not None:
            items, parts = rest, max(parts - 1, 2)
        elif parts < len(items):
            parts = min(len(items), 2 * parts)
        else:
            return


def _chunks(items: Sequence[Any], parts: int) -> list[Sequence[Any]]:
    """The items in `parts` runs of nearly equal length, none empty."""
    edges = [len(items) * n // parts for n in range(parts + 1)]
    return [items[a:b] for a, b in zip(edges, edges[1:]) if a < b]
