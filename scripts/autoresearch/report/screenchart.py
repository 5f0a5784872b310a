"""The trajectory in characters: braille dots, four rows and two columns a cell, or plain ASCII."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .account_model import Account
from .scale import Scale, fitted

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # bits of a braille cell, by row and column
_BRAILLE = 0x2800


class Canvas:
    """Dots on a grid; `fine` is braille, else one character a dot."""

    def __init__(self, columns: int, rows: int, fine: bool) -> None:
        """An empty grid of `columns` by `rows` characters."""
        self.columns, self.rows, self.fine = columns, rows, fine
        self.across, self.down = (2, 4) if fine else (1, 1)
        self.width, self.height = columns * self.across, rows * self.down
        self._bits: dict[tuple[int, int], int] = {}
        self._marks: dict[tuple[int, int], str] = {}

    def dot(self, x: int, y: int) -> None:
        """Set one dot."""
        cell = (x // self.across, y // self.down)
        self._bits[cell] = self._bits.get(cell, 0) | _DOTS[y % self.down][x % self.across]

    def mark(self, x: int, y: int, character: str) -> None:
        """Put a character over the cell of a dot."""
        self._marks[x // self.across, y // self.down] = character

    def lines(self) -> list[str]:
        """The grid as text."""
        return ["".join(self._character(x, y) for x in range(self.columns)) for y in range(self.rows)]

    def _character(self, x: int, y: int) -> str:
        if (x, y) in self._marks:
            return self._marks[x, y]
        bits = self._bits.get((x, y), 0)
        if not bits:
            return " "
        return chr(_BRAILLE + bits) if self.fine else "-"


def draw(account: Account, width: int, height: int, fine: bool) -> list[str]:
    """`height` lines of at most `width` characters: the retained line, the trials, and both axes."""
    values = [float(e.value) for e in account.experiments if e.value is not None]
    scale = fitted([float(e.retained) for e in account.experiments], values)
    rows = max(2, height - 1)
    labels = _labels(scale, rows)
    margin = max(map(len, labels.values()), default=0) + 1
    canvas = Canvas(max(8, width - margin - 1), rows, fine)
    _plot(account, scale, canvas)
    edge = "│" if fine else "|"
    tick = "┤" if fine else "+"
    lines = [
        f"{labels.get(y, ''):>{margin}}{tick if y in labels else edge}{line}".rstrip()
        for y, line in enumerate(canvas.lines())
    ]
    return [*lines, _foot(account, margin + 1, canvas.columns)]


def _labels(scale: Scale, rows: int) -> dict[int, str]:
    """Axis labels by row; where two fall on one row the first stays."""
    found: dict[int, str] = {}
    for value, label in scale.ticks(rows // 2 + 1):
        found.setdefault(round((rows - 1) * (1 - scale.at(value))), label)
    return found


def _foot(account: Account, margin: int, columns: int) -> str:
    last = f"{account.state.iteration:,}" if account.state.iteration else ""
    return (" " * margin + "0" + last.rjust(columns - 1)).rstrip()


def _plot(account: Account, scale: Scale, canvas: Canvas) -> None:
    """Trials first, then the line over them, then the keeps on top."""
    last = max(1, account.state.iteration)

    def place(iteration: int, value: float) -> tuple[int, int]:
        """Where a value lies on the grid."""
        y = round((canvas.height - 1) * (1 - scale.at(value)))
        return round((canvas.width - 1) * iteration / last), y

    for experiment in account.experiments:
        if experiment.value is not None and experiment.row.status == "discard":
            spot = place(experiment.row.iteration, float(experiment.value))
            canvas.dot(*spot) if canvas.fine else canvas.mark(*spot, ".")
    for x, y in _line([place(e.row.iteration, float(e.retained)) for e in account.experiments], canvas.width):
        canvas.dot(x, y)
    kept = [e for e in account.experiments if e.row.status == "keep"]
    for experiment in kept if len(kept) <= canvas.columns // 2 else ():
        spot = place(experiment.row.iteration, float(experiment.retained))
        canvas.mark(*spot, "●" if canvas.fine else "*")


def _line(corners: Sequence[tuple[int, int]], width: int) -> Iterator[tuple[int, int]]:
    """The dots of a step line through the corners, drawn on to the right edge."""
    x, y = corners[0]
    for to_x, to_y in [*corners[1:], (width - 1, corners[-1][1])]:
        yield from ((step, y) for step in range(x, to_x + 1))
        yield from ((to_x, step) for step in range(min(y, to_y), max(y, to_y) + 1))
        x, y = to_x, to_y
