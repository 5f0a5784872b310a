"""The trajectory as inline SVG: one drawing that fits any width, for places are percentages and text keeps its size.

A step line shows the retained metric with its noise band, a mark each experiment. What has no metric of its own
(crashes, pivots) stands in a lane below the plot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from ..kernel.core.text import one_line
from . import figures, marks
from .account_model import Account, Experiment
from .scale import Scale, fitted

HEIGHT, LANE, FOOT = 300, 330, 362  # pixels from the top: end of the plot, middle of the lane, x labels
TITLE_LIMIT = 90
_UNITS = 10_000  # horizontal units of the step line, stretched to the width
_Y_TICKS, _X_TICKS = 6, 6
_DENSE = 150  # marks from which they are drawn small


@dataclass(frozen=True)
class Plane:
    """Where things stand: the vertical scale, the last iteration, and whether the marks stand close."""

    scale: Scale
    last: int
    dense: bool

    def x(self, iteration: int) -> str:
        """The place of an iteration across the width."""
        return f"{100 * iteration / self.last:.2f}%"

    def y(self, value: float) -> float:
        """The place of a value in pixels from the top."""
        return round(HEIGHT * (1 - self.scale.at(value)), 1)


def svg(account: Account, listed: Sequence[Experiment]) -> str:
    """The drawing; marks are drawn for the `listed` experiments only, the line follows all of them."""
    plane = Plane(axis(account), max(1, account.state.iteration), len(listed) > _DENSE)
    kept = [experiment for experiment in listed if experiment.row.status == "keep"]
    others = [experiment for experiment in listed if experiment.row.status != "keep"]
    # What was kept is on top.
    body = [*_grid(plane), *_side_lines(account, plane), *_x_axis(plane), *_levels(account, plane)]
    body += [_mark(experiment, account, plane) for experiment in others]
    body.append(_line(account, plane))
    body += [_whisker(experiment, plane) for experiment in kept if experiment.interval]
    body += [_mark(experiment, account, plane) for experiment in kept]
    label = escape(f"Trajectory of {account.metric} over {figures.count(plane.last, 'iteration')}")
    return (
        f'<svg class="plot" width="100%" height="{FOOT + 24}" role="img" aria-label="{label}; '
        f'the list of experiments below holds the same figures">{marks.SYMBOLS}{"".join(body)}</svg>'
    )


def axis(account: Account) -> Scale:
    """The vertical axis: all of the retained line with its band, and the experiments near it."""
    return fitted(list(_firm(account)), [float(e.value) for e in account.experiments if e.value is not None])


def _firm(account: Account) -> Iterator[float]:
    spread = float(account.spread)
    for experiment in account.experiments:
        value = float(experiment.retained)
        yield from (value - spread, value + spread)


def _grid(plane: Plane) -> Iterator[str]:
    for value, label in plane.scale.ticks(_Y_TICKS):
        y = plane.y(value)
        yield f'<line class="grid" x2="100%" y1="{y}" y2="{y}"/><text x="-10" y="{y + 4}" class="end">{label}</text>'
    if plane.scale.log:
        yield '<text x="0" y="-8">logarithmic</text>'


def _x_axis(plane: Plane) -> Iterator[str]:
    yield f'<line class="axis" x2="100%" y1="{HEIGHT}" y2="{HEIGHT}"/>'
    for value, label in Scale(0, plane.last).ticks(_X_TICKS):
        if value == int(value):
            yield f'<text x="{plane.x(int(value))}" y="{FOOT}" class="mid">{label}</text>'
    yield f'<text x="50%" y="{FOOT + 20}" class="mid">iteration</text>'


def _line(account: Account, plane: Plane) -> str:
    """The retained metric as a step line, and the band of one spread around it."""
    steps = _steps(account, plane.last)
    path = _path(steps, plane)
    spread, band = float(account.spread), ""
    if spread:
        edge = [(x, value + spread) for x, value in steps] + [(x, value - spread) for x, value in reversed(steps)]
        band = f'<path class="band" d="{_path(edge, plane)}Z"/>'
    return (
        f'<svg width="100%" height="{HEIGHT}" viewBox="0 0 {_UNITS} {HEIGHT}" preserveAspectRatio="none" '
        f'overflow="visible">{band}<path class="retained" d="{path}"/></svg>'
    )


def _steps(account: Account, last: int) -> list[tuple[int, float]]:
    """Corners of the step line: it moves at the iteration that was kept."""
    value = float(account.experiments[0].retained)
    corners = [(0, value)]
    for experiment in account.experiments:
        if experiment.retained != experiment.before:
            x = round(_UNITS * experiment.row.iteration / last)
            corners += [(x, value), (x, float(experiment.retained))]
            value = float(experiment.retained)
    return [*corners, (_UNITS, value)]


def _path(corners: Sequence[tuple[int, float]], plane: Plane) -> str:
    return "M" + "L".join(f"{x} {plane.y(value)}" for x, value in corners)


def _levels(account: Account, plane: Plane) -> Iterator[str]:
    """Where the run began, and the goal where it is in sight."""
    goal = account.config.stop_at(account.mode)
    levels = [("baseline", float(account.state.baseline_metric))]
    levels += [(f"goal {goal}", float(goal.bound))] if goal else []
    for name, value in levels:
        if plane.scale.holds(value):
            y, label = plane.y(value), escape(figures.signs(name))
            yield f'<line class="level" x2="100%" y1="{y}" y2="{y}"/>'
            yield f'<text x="100%" y="{y - 6}" class="end">{label}</text>'


def _side_lines(account: Account, plane: Plane) -> Iterator[str]:
    """Each side line as a strip with its name, tied to the state that it grew from."""
    for line in account.lines:
        x, y = plane.x(line.first), plane.y(float(line.value))
        width = f"{100 * (line.last - line.first) / plane.last:.2f}%"
        yield f'<rect class="side" x="{x}" y="0" width="{width}" height="{HEIGHT}"/>'
        yield f'<line class="level" x1="{plane.x(line.start)}" x2="{x}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{x}" y="12">{escape(line.name)} from {line.start}</text>'


def _whisker(experiment: Experiment, plane: Plane) -> str:
    assert experiment.interval is not None
    low, high = (plane.y(float(end)) for end in experiment.interval)
    x = plane.x(experiment.row.iteration)
    return f'<line class="whisker" x1="{x}" x2="{x}" y1="{low}" y2="{high}"/>'


def _mark(experiment: Experiment, account: Account, plane: Plane) -> str:
    """One experiment's mark, its text on hovering, and a link to its entry in the list."""
    symbols, value = [marks.of(experiment)], experiment.value
    y = float(LANE) if value is None else plane.y(float(value))
    if value is not None and not plane.scale.holds(float(value)):
        symbols = ["above" if value > experiment.retained else "below"]
    symbols += ["ring"] if experiment.confirm == "pass" else []
    symbols += ["flag"] if experiment.unlikely else []
    drawn = "".join(marks.use(name, plane.x(experiment.row.iteration), y, plane.dense) for name in symbols)
    title = f"<title>{escape(_title(experiment, account))}</title>"
    return f'<a href="#e{experiment.name}" tabindex="-1" class="{marks.kind(experiment)}">{title}{drawn}</a>'


def _title(experiment: Experiment, account: Account) -> str:
    """`17 keep · 115,512 (-2.1 %) · what was changed`."""
    value, parts = experiment.value, [f"{experiment.name} {experiment.row.status}"]
    if value is not None:
        parts.append(f"{figures.number(value, account.spread)} ({figures.change(experiment.before, value)})")
    parts += [words for _, words in marks.flags(experiment)]
    return " · ".join([*parts, one_line(experiment.said, TITLE_LIMIT)])
