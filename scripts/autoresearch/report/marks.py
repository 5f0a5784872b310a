"""How each kind of row looks: told apart by shape as well as by colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..kernel.core.statuses import TABLE
from .account_model import Experiment

# A discarded value that lies on the better side of the line would puzzle without its reason.
_BROKE = ("barred", "crash", "better, but a check failed")
_DRAWINGS = {
    "dot": '<circle r="5"/>',
    "hollow": '<circle r="3.5" class="open"/>',
    "barred": '<path class="open" d="M3.2-3.2A4.5 4.5 0 1 0-3.2 3.2A4.5 4.5 0 1 0 3.2-3.2L-3.2 3.2"/>',
    "cross": '<path class="open thick" d="M-4-4L4 4M4-4L-4 4"/>',
    "diamond": '<path d="M0-6L5 0L0 6L-5 0Z"/>',
    "tick": '<path class="open thick" d="M0-5V5"/>',
    "stop": '<rect x="-5" y="-5" width="10" height="10"/>',
    "above": '<path class="open" d="M0-4L5 4H-5Z"/>',
    "below": '<path class="open" d="M0 4L5-4H-5Z"/>',
    "ring": '<circle r="8.5" class="open"/>',
    "flag": '<path class="warn" d="M0-12L5-21H-5Z"/>',
}
# Every symbol carries an unseen disc, so that a small mark is easily pointed at.
_SIZES = (("m", ""), ("s", ' transform="scale(.55)"'))
SYMBOLS = (
    '<svg width="0" height="0"><defs>'
    + "".join(
        f'<g id="{size}-{name}"{transform}><circle r="9" class="touch"/>{shape}</g>'
        for size, transform in _SIZES
        for name, shape in _DRAWINGS.items()
    )
    + "</defs></svg>"
)


def _look(experiment: Experiment) -> tuple[str, str, str]:
    row = experiment.row
    broke = row.status == "discard" and "fail" in (row.guard, experiment.confirm)
    return _BROKE if broke else TABLE[row.status].look


def of(experiment: Experiment) -> str:
    """The symbol of a row."""
    return _look(experiment)[0]


def kind(experiment: Experiment) -> str:
    """The class that colours a row."""
    return _look(experiment)[1]


def use(symbol: str, x: str, y: float, small: bool = False) -> str:
    """A symbol at a place of the drawing, a `small` one where they stand close."""
    return f'<use href="#{"s" if small else "m"}-{symbol}" x="{x}" y="{y}"/>'


def icon(symbol: str, colour: str) -> str:
    """A symbol within a line of text."""
    # The warning stands above what it marks; here there is nothing below it.
    y = 24 if symbol == "flag" else 8
    return f'<svg class="icon {colour}" width="18" height="16" aria-hidden="true">{use(symbol, "9", y)}</svg>'


def flags(experiment: Experiment) -> Iterator[tuple[str, str]]:
    """What is remarkable about a row beside its status: class of its colour, and words."""
    if experiment.unlikely:
        yield "warn", "unlikely gain"
    if experiment.undecided:
        yield "warn", "undecided"
    if experiment.busy:
        yield "warn", f"busy machine: {experiment.busy}"
    if experiment.confirm:
        yield ("keep", "confirmed") if experiment.confirm == "pass" else ("crash", "confirm failed")
    if experiment.row.guard == "fail":
        yield "crash", "guard failed"


def row_icon(experiment: Experiment) -> str:
    """The mark of a row beside its entry in the list."""
    return icon(of(experiment), kind(experiment))


def legend(experiments: Sequence[Experiment], beyond: bool) -> str:
    """The kinds that occur, each with its mark; `beyond` says whether some lie off the scale."""
    present = {_look(experiment) for experiment in experiments}
    found = [look for look in (*(status.look for status in TABLE.values()), _BROKE) if look in present]
    if any(experiment.confirm == "pass" for experiment in experiments):
        found.append(("ring", "keep", "passed the held-out check"))
    if beyond:
        found.append(("above", "discard", "off the scale"))
    if any(experiment.unlikely for experiment in experiments):
        found.append(("flag", "warn", "unlikely gain, measured again"))
    items = "".join(f"<li>{icon(symbol, colour)} {name}</li>" for symbol, colour, name in found)
    return f'<ul class="legend">{items}</ul>'
