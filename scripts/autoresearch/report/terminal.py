"""A run on one screen of characters: what it is, where it stands, what it does now, what it has left.

`screen` is a pure function of an account and of the terminal's size; `runtime_ctl status` and `watch` print what
it returns. A piece of a line is its text and a colour name, "" for none.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from ..kernel.core.statuses import TABLE
from ..kernel.core.supervise import HUMAN, OVER
from ..kernel.core.text import one_line
from . import figures, forecast, headline, loose, marks, screenchart
from .account_model import Account, Experiment

Piece = tuple[str, str]
Line = list[Piece]
Draw = Callable[[Account, int, int, bool], list[str]]

_COLOURS = {"good": "32", "bad": "31", "step": "35", "dim": "2", "strong": "1", "line": "36", "warn": "33"}
_STATUS = {"keep": "good", "crash": "bad", "step": "step"}  # by the class of its colour
_ASCII = str.maketrans({"→": "->", "−": "-", "–": "-", "±": "~", "·": "-", "…": ".", "≤": "<=", "≥": ">=", "●": "*"})
_FLAGS = {"keep": "good", "crash": "bad", "warn": "warn"}
_LEAST_CHART = 4  # rows below which a drawing says nothing
_MOST_CHART = 24


@dataclass(frozen=True)
class Terminal:
    """What the screen may use: its size in characters, whether it shows Unicode, whether it shows colours."""

    width: int = 80
    height: int = 24
    unicode: bool = True
    colour: bool = False


def screen(account: Account, terminal: Terminal, note: str = "", draw: Draw = screenchart.draw) -> str:
    """At most `height` lines of at most `width` columns, without a line break at the end; `note` is the last line."""
    foot: list[Line] = [[(note, "dim")]] if note else []
    top, now = _top(account), _now(account)
    room = terminal.height - len(top) - len(now) - len(foot)
    chart, trials = _shares(room, len(account.experiments))
    lines = [*top]
    if chart:
        drawn = draw(account, terminal.width, chart - 1, terminal.unicode)
        lines += [[], *([(line, "line")] for line in drawn)]
    if trials:
        lines += [[], *_trials(account, trials - 1)]
    lines += [*([[]] if room > 0 else []), *now]
    height = max(0, terminal.height - len(foot))
    lines += [[] for _ in range(height - len(lines))] if foot else []
    return "\n".join(_painted(line, terminal) for line in [*lines[:height], *foot])


def _shares(room: int, experiments: int) -> tuple[int, int]:
    """Rows for the drawing and for the last trials, each with the empty row before it; what is too small is left."""
    room -= 1  # the empty row before what is below
    trials = min(experiments + 1, max(4, room * 2 // 5), room)
    chart = min(room - trials, _MOST_CHART + 1)
    if chart <= _LEAST_CHART:
        return 0, max(0, trials if trials > 1 else 0)
    return chart, min(experiments + 1, room - chart)


def _top(account: Account) -> list[Line]:
    state, spread = account.state, account.spread
    best = ""
    if state.best_metric != state.current_metric:
        best = f"   best {figures.number(state.best_metric, spread)} in iteration {state.best_iteration}"
    moved = headline.movement(account)
    counts = f"{figures.count(account.trials, 'experiment')}, {headline.kept(account)}, {state.crashes:,} crashed"
    return [
        [("autoresearch ", "dim"), (account.tag, "strong"), (f"  {account.mode}", "dim")],
        [("Goal  ", "dim"), (account.goal, "")],
        [(moved, "good" if account.improved else "strong"), (f"   {counts}{best}", "")],
    ]


def _trials(account: Account, rows: int) -> list[Line]:
    """The last rows of the log, the newest at the bottom."""
    return [_trial(experiment, account) for experiment in account.experiments[-rows:]] if rows > 0 else []


def _trial(experiment: Experiment, account: Account) -> Line:
    value, row = experiment.value, experiment.row
    metric = "–" if value is None else figures.number(value, account.spread)
    moved = "" if value is None or row.status == "baseline" else figures.change(experiment.before, value)
    return [
        (f"{experiment.name:>5} ", "dim"),
        (f"{row.status:<9}", _STATUS.get(TABLE[row.status].look[1], "")),
        (f"{metric:>12} {moved:>9}  ", ""),
        # What is remarkable stands first, for the end of the line is cut.
        *((f"{words} · ", _FLAGS[kind]) for kind, words in marks.flags(experiment)),
        (one_line(experiment.said, 300), ""),
    ]


def _now(account: Account) -> list[Line]:
    """What happens now and what is left, a line each."""
    action, reason = account.next_action
    found = [("Now", *_doing(account)), ("Noise", _noise(account), ""), ("Budget", _budget(account), "")]
    if account.controller is not None:
        found.append(("Control", *_control(account)))
    if account.state.line:
        found.append(("Line", f"{one_line(account.state.line, 40)} grows beside the main one", ""))
    if action != "continue":
        words = f"{action.replace('_', ' ')}: {figures.signs(reason)}"
        found.append(("Next", words, "warn" if action == HUMAN else ""))
    return [[(f"{name:<8}", "dim"), (text, colour)] for name, text, colour in found if text]


def _doing(account: Account) -> tuple[str, str]:
    """The trial in progress."""
    trial = account.trial
    if trial is None:
        return ("the run is over", "") if account.next_action[0] == "stop" else ("no trial in progress", "dim")
    if not trial.alive:
        return f"iteration {trial.iteration} was interrupted; the next command finishes or undoes it", "warn"
    usual = _usual(account)
    about = f", usually about {figures.duration(usual)}" if usual else ""
    about = f"; {trial.doing}" if trial.doing else about
    return (
        f"measuring iteration {trial.iteration} for {figures.duration(account.clock - trial.started)}{about}",
        "strong",
    )


def _usual(account: Account) -> float:
    """Seconds that the check took in the middle one of the last experiments; 0 where none was measured."""
    seconds = sorted(e.seconds for e in account.experiments[-9:] if e.runs and e.row.status != "baseline")
    return seconds[len(seconds) // 2] if seconds else 0.0


def _noise(account: Account) -> str:
    config = account.config
    if not config.measured:
        return "unknown: the numbers are reported, not measured"
    if config.noise.get("kind") != "noisy":
        return "none: the metric repeats exactly, one run a trial"
    smallest = loose.decimal(config.noise.get("smallest_detectable")) or account.spread
    seen = figures.number(smallest, account.spread)
    return f"±{figures.number(account.spread, account.spread)} a run; gains from about {seen} on are seen"


def _budget(account: Account) -> str:
    found = account.budgets
    if not found:
        used = f"; {figures.duration(60 * account.active_minutes)} so far" if account.active_minutes else ""
        return f"unlimited{used}"
    text = ", ".join(f"{_amount(budget.used)} of {_amount(budget.limit)} {budget.name}" for budget in found)
    return text + _ends(account, forecast.first_to_end(found))


def _ends(account: Account, budget: forecast.Budget | None) -> str:
    if budget is None or account.next_action[0] in OVER:
        return ""
    seconds = 60 * (budget.minutes_left or 0.0)
    at = time.strftime("%H:%M" if seconds < 20 * 3600 else "%a %H:%M", time.localtime(account.clock + seconds))
    return f"; ends in about {figures.duration(seconds)}, at {at}"


def _amount(value: float) -> str:
    return f"{value:,.1f}" if value < 10 and value != int(value) else f"{value:,.0f}"


def _control(account: Account) -> tuple[str, str]:
    """The background controller and what it waits for."""
    control = account.controller
    assert control is not None
    parts = [control.status.replace("_", " ")]
    if control.waiting_until is not None and control.waiting_until > account.clock:
        left = figures.duration(control.waiting_until - account.clock)
        parts.append(f"waits until {time.strftime('%H:%M', time.localtime(control.waiting_until))}, {left} from now")
    parts += [text for text in (control.reason.replace("_", " "), control.detail) if text]
    if control.command:
        parts.append(f"its session runs {control.command}")
    return "; ".join(parts), "" if control.status == "running" else "warn"


def _painted(line: Line, terminal: Terminal) -> str:
    """The line within the width, in the characters and colours that the terminal has."""
    left, out = terminal.width, []
    for text, colour in line:
        text = _cut(text, left, "…") if terminal.unicode else _cut(_plain(text), left, "..")
        left -= width(text)
        code = _COLOURS.get(colour, "")
        out.append(f"\x1b[{code}m{text}\x1b[0m" if terminal.colour and code and text else text)
    return "".join(out).rstrip()


def _plain(text: str) -> str:
    return text.translate(_ASCII).encode("ascii", "replace").decode()


def width(text: str) -> int:
    """Columns that the text takes: two for wide characters, none for combining ones."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cut(text: str, columns: int, end: str) -> str:
    """The text in at most so many columns; what was cut ends in `end`."""
    if width(text) <= columns:
        return text
    kept, left = "", columns - len(end)
    for character in text:
        left -= _columns(character)
        if left < 0:
            break
        kept += character
    return (kept + end)[: max(0, columns)]
