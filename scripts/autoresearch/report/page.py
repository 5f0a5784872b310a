"""The report as one HTML file: nothing is fetched, nothing is executed, everything from a run is escaped."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from ..kernel.core.text import block
from . import chart, entries, figures, forecast, headline, marks, repeat, side_lines, worth_table
from .account_model import Account, Experiment
from .style import STYLE

LIMIT = 2_800_000  # bytes; a browser and a mailbox take that easily
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_FILTERS = (
    ("all", "All", ""),
    ("keep", "Kept", "keep"),
    ("discard", "Discarded", "discard"),
    ("crash", "Crashed", "crash"),
    ("step", "Other steps", ""),
)
_ENDINGS = {"stop": "The run is over", "needs_human": "The run waits for a human"}
_FILTER_FROM = 9
_REFUSED_SHOWN = 100
_SETTING_LIMIT = 4000
_MANY = 200  # lines from which the browser lays out only those in sight


def html(account: Account, evidence: Path) -> str:
    """The whole file; `evidence` is the folder of captured output."""
    shown = entries.listed(account.experiments)
    before = "".join([_head(account), _top(account), _trajectory(account, shown)])
    parts = (_profile, _lines, _worth, _budget, _said, _refused, _setting, _repeat, _foot)
    after = "".join(part(account) for part in parts)
    around = _list_head(account, shown), "</section>"
    room = LIMIT - sum(len(part.encode()) for part in (before, after, *around))
    listing = entries.render(account, shown, evidence, room)
    return f"{before}{around[0]}{listing}{around[1]}{after}"


def _head(account: Account) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="generator" content="codex-autoresearch">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        f"<title>{escape(account.tag)}: {escape(headline.movement(account))}</title><style>{STYLE}</style></head>\n"
        '<body><a class="skip" href="#experiments">To the experiments</a>\n'
    )


def _top(account: Account) -> str:
    moved, sentence = escape(headline.movement(account)), escape(headline.sentence(account))
    sentence = _glued(f"<strong>{moved}</strong>{sentence[len(moved) :]}")
    tiles = "".join(
        f"<div><dt>{name}</dt><dd>{escape(value)}<small>{_glued(escape(note))}</small></dd></div>"
        for name, value, note in _tiles(account)
    )
    return (
        f'<header><p class="kicker">{escape(account.tag)} · {escape(account.mode)}</p>'
        f'<h1>{escape(account.goal)}</h1><p class="lede">{sentence}.</p><p class="ending">{_ending(account)}</p>'
        f'</header>\n<main><dl class="tiles">{tiles}</dl>\n'
    )


def _glued(text: str) -> str:
    """Keep a figure and its unit on one line."""
    return text.replace(" %", "\u00a0%").replace("→ ", "→\u00a0")


def _ending(account: Account) -> str:
    action, reason = account.next_action
    if action not in _ENDINGS:
        return "The run can go on."
    return f"{_ENDINGS[action]}: {escape(figures.signs(reason.partition(': ')[2] or reason))}."


def _tiles(account: Account) -> Iterator[tuple[str, str, str]]:
    state, spread = account.state, account.spread
    yield "From", figures.number(state.baseline_metric, spread), f"{account.metric} at the baseline"
    yield "To", figures.number(state.current_metric, spread), _best(account)
    if account.limit:
        yield "Limit", "", account.limit
    yield "How sure", headline.certainty(account), headline.assurance(account)
    counts = f"{headline.kept(account)}, {state.discards:,} discarded, {state.crashes:,} crashed"
    counts += f", {state.own:,} of them tried again by the tool" if state.own else ""
    yield "Experiments", f"{account.trials:,}", counts
    wall = headline.wall_clock(account)
    whole = "" if wall is None else f"{figures.duration(wall)} from the start to the last experiment"
    yield "Measuring", figures.duration(account.measuring), whole
    if account.spent.tokens:
        yield "Tokens", f"{account.spent.tokens:,}", headline.tokens(account)
    if account.spent.money:
        yield "Money", f"{account.spent.money:,.2f}", headline.priced(account)


def _best(account: Account) -> str:
    state = account.state
    moved = figures.change(state.baseline_metric, state.claimed)
    if state.best_metric == state.current_metric:
        return f"{moved}, {account.config.direction} is better"
    return f"{moved}; best {figures.number(state.best_metric, account.spread)} in iteration {state.best_iteration}"


def _trajectory(account: Account, shown: Sequence[Experiment]) -> str:
    scale = chart.axis(account)
    beyond = any(e.value is not None and not scale.holds(float(e.value)) for e in shown)
    notes = ["The line is the retained metric"]
    if account.spread:
        notes.append("its band one spread of the noise")
    if any(experiment.interval for experiment in shown):
        notes.append("an upright stroke the interval of an estimate")
    return (
        f'<section aria-labelledby="h-chart"><h2 id="h-chart">Trajectory of {escape(account.metric)}</h2>'
        f'<figure><div class="chart">{chart.svg(account, shown)}</div>'
        f"<figcaption>{marks.legend(shown, beyond)}<p>{', '.join(notes)}. "
        "Below the axis: what has no metric of its own. Point at a mark to read it; follow it to open the "
        "experiment.</p></figcaption></figure></section>\n"
    )


def _list_head(account: Account, shown: Sequence[Experiment]) -> str:
    missing = len(account.experiments) - len(shown)
    many = ' class="many"' if len(shown) > _MANY else ""
    note = f'<p class="note">{missing:,} discarded ones are only in research-results.tsv.</p>' if missing else ""
    return f'<section id="experiments"{many}><h2>Experiments</h2>{note}{_filters(shown)}\n'


def _filters(shown: Sequence[Experiment]) -> str:
    """Buttons that work without a script: the style sheet hides what the checked one leaves out."""
    if len(shown) < _FILTER_FROM:
        return ""
    counts = {key: sum(e.row.status == status for e in shown) for key, _, status in _FILTERS}
    counts["all"] = len(shown)
    counts["step"] = sum(e.row.status not in ("keep", "discard", "crash", "baseline") for e in shown)
    buttons = "".join(
        f'<label><input type="radio" name="show" id="f-{key}"{" checked" if key == "all" else ""}>'
        f"<span>{name} {counts[key]:,}</span></label>"
        for key, name, _ in _FILTERS
        if counts[key]
    )
    return f'<fieldset class="filters"><legend>Show</legend>{buttons}</fieldset>'


def _worth(account: Account) -> str:
    return _tabled(worth_table.TITLE, worth_table.HEAD, list(worth_table.rows(account)))


def _lines(account: Account) -> str:
    return _tabled(side_lines.TITLE, side_lines.HEAD, list(side_lines.table(account.lines)))


def _profile(account: Account) -> str:
    """Where the time went at the start, and where it goes now."""
    return _tabled(PROFILE, PROFILE_HEAD, account.profile)


def _tabled(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    names = "".join(f"<th>{name}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<section><h2>{title}</h2><table><tr>{names}</tr>{body}</table></section>\n"


def _budget(account: Account) -> str:
    found = account.budgets
    if not found:
        return ""
    rows = "".join(
        f"<li><label>{_limit(budget)}: {_used(budget.used)} used"
        f'<progress max="1" value="{budget.share:.3f}"></progress></label></li>'
        for budget in found
    )
    return f'<section><h2>Budget</h2><ul class="budget">{rows}</ul></section>\n'


def _limit(budget: forecast.Budget) -> str:
    if budget.name == "money":
        return f"{budget.limit:,.2f} of money"
    return figures.count(round(budget.limit), budget.name[:-1])


def _said(account: Account) -> str:
    """What the user said while the run was under way."""
    if not account.said:
        return ""
    items = "".join(
        f"<li>after iteration {said.iteration}: {said.what} <q>{escape(said.text)}</q> <small>{said.at}</small></li>"
        for said in account.said
    )
    return f"<section><h2>What the user said</h2><ul>{items}</ul></section>\n"


def _used(amount: float) -> str:
    return f"{amount:,.1f}".removesuffix(".0")


def _refused(account: Account) -> str:
    """What was turned away before anything ran."""
    if not account.refused:
        return '<section><h2>Refused</h2><p class="note">Nothing was refused.</p></section>\n'
    items = "".join(
        f"<li>before iteration {refused.iteration}: {_WHAT.get(refused.what, escape(refused.what))} "
        f"{', '.join(f'<code>{escape(path)}</code>' for path in refused.paths)} "
        f"<small>{escape(refused.at)}</small></li>"
        for refused in account.refused[-_REFUSED_SHOWN:]
    )
    note = f"<p>{figures.count(len(account.refused), 'attempt')} turned away before anything was measured.</p>"
    return f'<section><h2>Refused</h2>{note}<ul class="refused">{items}</ul></section>\n'


PROFILE, PROFILE_HEAD = "Where the time goes", ("function", "at the start", "at the end")
_WHAT = {"evaluator": "a change to the evaluator:", "scope": "a change outside the scope:"}


def setting(account: Account) -> Iterator[tuple[str, str]]:
    """How the run was set up: name and text."""
    config = account.config
    yield "Run before each check", config.prepare
    yield "Quick check before it", config.screen
    yield "Check", config.verify
    yield "Guard", config.guard
    yield "Held-out check", config.confirm
    yield "Required of a keep", "\n".join(config.require)
    yield "Scope", config.scope
    yield "Ends at", config.until
    yield "Goal", figures.signs(str(config.stop_at(account.mode) or ""))
    yield "Undoing", f"git {config.rollback_policy}"
    yield "Locked files", "\n".join(account.protected[:50])
    yield "Machine", account.environment


def _setting(account: Account) -> str:
    found = [(name, block(text, _SETTING_LIMIT).strip()) for name, text in setting(account)]
    items = "".join(f"<dt>{name}</dt><dd><code>{escape(text)}</code></dd>" for name, text in found if text)
    return f'<section><h2>How it was measured</h2><dl class="setting">{items}</dl></section>\n'


def _repeat(account: Account) -> str:
    steps = "".join(
        f'<li>{escape(title)}<pre tabindex="0">{escape(command, quote=False)}</pre></li>'
        for title, command in repeat.steps(account)
    )
    return f'<section><h2>How to repeat it</h2><ol class="repeat">{steps}</ol></section>\n' if steps else ""


def _foot(account: Account) -> str:
    at = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(account.clock))
    return (
        f"</main><footer>Written by autoresearch on {at} from <code>research-results.tsv</code> and "
        "<code>autoresearch-evidence/</code>; every number can be followed there.</footer></body></html>\n"
    )
