"""A run's log told as it grows: one line a row, one for each refused attempt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Callable

from ..kernel.core import numbers
from ..kernel.core.rows import Row
from ..kernel.core.text import listing, one_line
from ..kernel.disk import evidence, journal
from ..kernel.disk.layout import Layout

_FORM = "{:>4}  {:<8} {:>12} {:>12}  {}"
_REFUSED = {"scope": "outside the scope", "evaluator": "part of the evaluator, which is locked"}


class RunFollower:
    """Remembers what was told; `rows` is how many rows of the log that is."""

    def __init__(self, layout: Layout) -> None:
        """Follow the run of `layout`, which may not have begun."""
        self._layout = layout
        self._refused: set[str] = set()
        self.rows = 0

    def tell(self, say: Callable[[str], None]) -> None:
        """Say a line for everything that is new; under the first row's figures stand the column names."""
        try:
            log = journal.read(self._layout.results)
        except (OSError, ValueError):
            return
        if log.rows and not self.rows:
            say(_FORM.format("#", "status", "metric", "delta", "what"))
        for line in (*self._refusals(log), *map(_line, log.rows[self.rows :])):
            say(line)
        self.rows = len(log.rows)

    def _refusals(self, log: journal.Log) -> Iterator[str]:
        """Refused attempts: those that a row carries, and those that wait for one."""
        for item in (*log.of_kind("refused"), *evidence.refusals(self._layout.evidence)):
            line = _refusal(item)
            key = f"{item.get('before_iteration')} {line}"
            if key not in self._refused:
                self._refused.add(key)
                yield line


def _refusal(item: Mapping[str, Any]) -> str:
    paths = item.get("paths")
    shown = listing(map(str, paths) if isinstance(paths, list) else ())
    return _FORM.format("", "refused", "-", "-", f"{shown}: {_REFUSED.get(str(item.get('what')), 'not allowed')}")


def _line(row: Row) -> str:
    metric = "-" if row.metric is None else numbers.plain(row.metric)
    return _FORM.format(f"{row.iteration}{row.worker}", row.status, metric, row.delta, one_line(row.description, 90))
