"""The trajectory as inline SVG: one drawing that fits any width, for places are percentages and text keeps its size.

A step line shows the retained metric with its noise band, a mark each experiment. What has no metric of its own
(crashes, pivots) stands in a lane below the plot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from ..core.text import one_line
from . import figures, marks
from .model import Account, Experiment
from .scale import Scale, fitted

HEIGHT, LANE, FOOT = 300, 330, 362  # pixels from the top: end of the plot, middle of the lane, x labels
_UNITS = 10_000  # horizontal units of the step line, stretched to the width
_Y_TICKS, _X_TICKS = 6, 6
TITLE_LIMIT = 90


def svg(account: Account, listed: Sequence[Experiment]) -> str:
    """The drawing; marks are drawn for the `listed` experiments only, the line follows all of them."""
    scale = axis(account)
    last = max(1, account.state.iteration)
    body = [*_grid(scale), *_x_axis(last), _line(account, scale, last), *_levels(account, scale)]
    body += [_whisker(e, scale, last) for e in listed if e.interval and e.row.status == "keep"]
    # Kept ones are drawn last, on top.
    body += [_mark(e, account, scale, last) for e in sorted(listed, key=lambda e: e.row.status == "keep")]
    label = escape(f"Trajectory of {account.metric} over {figures.count(last, 'iteration')}")
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


def _x(iteration: int, last: int) -> str:
    return f"{100 * iteration / last:.2f}%"


def _y(scale: Scale, value: float) -> float:
    return round(HEIGHT * (1 - scale.at(value)), 1)


def _grid(scale: Scale) -> Iterator[str]:
    for value, label in scale.ticks(_Y_TICKS):
        y = _y(scale, value)
        yield f'<line class="grid" x2="100%" y1="{y}" y2="{y}"/><text x="-10" y="{y + 4}" class="end">{label}</text>'
    if scale.log:
        yield '<text x="0" y="-8">logarithmic</text>'


def _x_axis(last: int) -> Iterator[str]:
    yield f'<line class="axis" x2="100%" y1="{HEIGHT}" y2="{HEIGHT}"/>'
    for value, label in Scale(0, last).ticks(_X_TICKS):
        if value == int(value):
            yield f'<text x="{_x(int(value), last)}" y="{FOOT}" class="mid">{label}</text>'
    yield f'<text x="50%" y="{FOOT + 20}" class="mid">iteration</text>'


def _line(account: Account, scale: Scale, last: int) -> str:
    """The retained metric as a step line, and the band of one spread around it."""
    steps = _steps(account, last)
    path = _path([(x, float(value)) for x, value in steps], scale)
    spread, band = float(account.spread), ""
    if spread:
        edge = [(x, value + spread) for x, value in steps] + [(x, value - spread) for x, value in reversed(steps)]
        band = f'<path class="band" d="{_path(edge, scale)}Z"/>'
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


def _path(corners: Sequence[tuple[int, float]], scale: Scale) -> str:
    return "M" + "L".join(f"{x} {_y(scale, value)}" for x, value in corners)


def _levels(account: Account, scale: Scale) -> Iterator[str]:
    """Where the run began, and the goal where it is in sight."""
    goal = account.config.stop_at(account.mode)
    levels = [("baseline", float(account.state.baseline_metric))]
    levels += [(f"goal {goal}", float(goal.bound))] if goal else []
    for name, value in levels:
        if scale.holds(value):
            y = _y(scale, value)
            label = escape(name.replace("<=", "≤").replace(">=", "≥"))
            yield f'<line class="level" x2="100%" y1="{y}" y2="{y}"/>'
            yield f'<text x="100%" y="{y - 6}" class="end">{label}</text>'


def _whisker(experiment: Experiment, scale: Scale, last: int) -> str:
    assert experiment.interval is not None
    low, high = (_y(scale, float(end)) for end in experiment.interval)
    x = _x(experiment.row.iteration, last)
    return f'<line class="whisker" x1="{x}" x2="{x}" y1="{low}" y2="{high}"/>'


def _mark(experiment: Experiment, account: Account, scale: Scale, last: int) -> str:
    """One experiment's mark, its text on hovering, and a link to its entry in the list."""
    mark = marks.of(experiment)
    value = experiment.value
    y = float(LANE) if value is None else _y(scale, float(value))
    title = escape(_title(experiment, account))
    extra = ""
    if experiment.confirm == "pass":
        extra += marks.use("ring", _x(experiment.row.iteration, last), y)
    if experiment.unlikely:
        extra += marks.use("flag", _x(experiment.row.iteration, last), y)
    if value is not None and not scale.holds(float(value)):
        mark = "above" if value > experiment.retained else "below"
    drawn = marks.use(mark, _x(experiment.row.iteration, last), y)
    kind = marks.kind(experiment)
    return f'<a href="#e{experiment.name}" tabindex="-1" class="{kind}"><title>{title}</title>{drawn}{extra}</a>'


def _title(experiment: Experiment, account: Account) -> str:
    """`17 keep · 115,512 (-2.1 %) · what was changed`."""
    parts = [f"{experiment.name} {experiment.row.status}"]
    if experiment.value is not None:
        parts.append(f"{figures.number(experiment.value, account.spread)} ({_moved(experiment)})")
    flags = ["unlikely gain" if experiment.unlikely else "", _CONFIRM[experiment.confirm]]
    return " · ".join([*parts, *filter(None, flags), one_line(experiment.row.description, TITLE_LIMIT)])


_CONFIRM = {"": "", "pass": "confirmed", "fail": "confirm failed"}


def _moved(experiment: Experiment) -> str:
    assert experiment.value is not None
    return figures.change(experiment.before, experiment.value)
