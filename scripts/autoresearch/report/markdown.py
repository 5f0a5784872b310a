"""The report as Markdown for a pull request: the same facts, within what a code host takes as one text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..kernel.core.text import fenced, one_line
from . import details, entries, figures, headline, marks, repeat, screenchart, side_lines, worth_table
from .account_model import Account, Experiment
from .page import PROFILE, PROFILE_HEAD, setting

LIMIT = 60_000  # characters; GitHub takes 65,536
_SPECIAL = re.compile(r"([\\`*_{}\[\]|~>$])")
# What a code host makes a mention, a reference or a link of, also after escaping; nothing follows what is cut.
_LOOKED_AT = re.compile(r"([@#]|:(?=//)|\bwww(?=\.))")
_CUT = "<!-- -->"
_LINE_LIMIT = 120
_REFUSED_SHOWN = 20


def markdown(account: Account, evidence: Path) -> str:
    """The whole text."""
    head = [f"# {escaped(account.goal)}", f"**{escaped(headline.sentence(account))}.**", headline.assurance(account)]
    head.append(fenced("\n".join(screenchart.draw(account, 72, 12, True))))
    tail = [
        *_tabled(PROFILE, PROFILE_HEAD, account.profile),
        *_tabled(side_lines.TITLE, side_lines.HEAD, list(side_lines.table(account.lines))),
        *_tabled(worth_table.TITLE, worth_table.HEAD, list(worth_table.rows(account))),
        *_spent(account),
        *_budget(account),
        *_said(account),
        *_refused(account),
        *_setting(account),
        *_repeat(account),
    ]
    room = LIMIT - sum(len(part) + 2 for part in (*head, *tail))
    table = _table(account, room // 2)
    parts = [*head, table, *_kept(account, evidence, room - len(table)), *tail]
    return "\n\n".join([*parts, "<!-- written by codex-autoresearch -->"]) + "\n"


def escaped(text: str) -> str:
    """Text from a run as text: no markup, no HTML, no mention of a person, no reference to an issue, no link."""
    return _LOOKED_AT.sub(r"\1" + _CUT, _SPECIAL.sub(r"\\\1", _plain(text)))


def _plain(text: str) -> str:
    return one_line(text).replace("&", "&amp;").replace("<", "&lt;")


def _table(account: Account, room: int) -> str:
    """Every experiment on a line, the kept and the newest ones where there are too many."""
    head = "| # | status | metric | change | what |\n|--:|:--|--:|--:|:--|"
    rows = {experiment.name: _row(experiment, account) for experiment in account.experiments}
    chosen, left = set(), room - len(head) - 200
    for experiment in entries.by_weight(account.experiments):
        left -= len(rows[experiment.name]) + 1
        if left < 0:
            break
        chosen.add(experiment.name)
    lines = [rows[experiment.name] for experiment in account.experiments if experiment.name in chosen]
    missing = len(rows) - len(lines)
    note = f"\n\n{figures.count(missing, 'more row')} in `research-results.tsv`." if missing else ""
    return "\n".join([head, *lines]) + note


def _row(experiment: Experiment, account: Account) -> str:
    value, row = experiment.value, experiment.row
    metric = "–" if value is None else figures.number(value, account.spread)
    moved = "" if value is None or row.status == "baseline" else figures.change(experiment.before, value)
    what = escaped(one_line(experiment.said, _LINE_LIMIT))
    what += "".join(f" · *{words}*" for _, words in marks.flags(experiment))
    status = f"**{row.status}**" if row.status == "keep" else row.status
    return f"| {experiment.name} | {status} | {metric} | {moved} | {what} |"


def _kept(account: Account, evidence: Path, room: int) -> Iterator[str]:
    """What each kept experiment rests on, the newest first, as far as there is room."""
    for experiment in entries.by_weight(account.experiments):
        if experiment.row.status != "keep":
            return
        text = _entry(experiment, account, evidence)
        room -= len(text) + 2
        if room < 0:
            yield "Earlier kept experiments: see the report as HTML, or `autoresearch-evidence/`."
            return
        yield text


def _entry(experiment: Experiment, account: Account, evidence: Path) -> str:
    found = details.read(evidence, experiment)
    # Within a line of HTML there is no Markdown: a backslash would be seen.
    title = _LOOKED_AT.sub(r"\1" + _CUT, _plain(one_line(experiment.said, _LINE_LIMIT)))
    facts = [f"- {name}: {escaped(text)}" for name, text in entries.facts(experiment, account) if text]
    parts = [f"<details><summary>{experiment.name} keep: {title}</summary>", "\n".join(facts)]
    for name, values in (("Candidate", found.candidate), ("Retained", found.retained)):
        if len(values) > 1:
            shown = ", ".join("–" if value is None else figures.number(value) for value in values)
            parts.append(f"{name}, in the order they were run: {shown}")
    parts += [fenced(_bounded(output.text)) for output in found.outputs]
    if found.patch:
        parts.append(fenced(_bounded(found.patch.text, 4000), "diff"))
    return "\n\n".join([*parts, "</details>"])


def _bounded(text: str, limit: int = 1000) -> str:
    return text if len(text) <= limit else f"{text[:limit]}\n[… {len(text) - limit:,} characters more …]"


def _tabled(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if rows:
        lines = [" | ".join(head), "|".join([":--"] * len(head)), *(" | ".join(map(escaped, row)) for row in rows)]
        yield f"## {title}\n\n" + "\n".join(f"| {line} |" for line in lines)


def _spent(account: Account) -> Iterator[str]:
    if account.spent.tokens:
        money = f"; money: {account.spent.money:,.2f}, at {headline.priced(account)}" if account.spent.money else ""
        yield escaped(f"Tokens: {headline.tokens(account)}{money}.")


def _budget(account: Account) -> Iterator[str]:
    found = account.budgets
    if found:
        lines = [f"- {b.limit:,.10g} {b.name}: {b.used:,.0f} used ({b.share:.0%})" for b in found]
        yield "## Budget\n\n" + "\n".join(lines)


def _said(account: Account) -> Iterator[str]:
    if account.said:
        lines = [f"- after iteration {said.iteration}: {said.what} {escaped(said.text)}" for said in account.said]
        yield "## What the user said\n\n" + "\n".join(lines)


def _refused(account: Account) -> Iterator[str]:
    if account.refused:
        lines = [
            f"- before iteration {refused.iteration}: {escaped(refused.what)} {escaped(', '.join(refused.paths))}"
            for refused in account.refused[-_REFUSED_SHOWN:]
        ]
        yield f"## Refused before anything was measured: {len(account.refused)}\n\n" + "\n".join(lines)


def _setting(account: Account) -> Iterator[str]:
    lines = [f"- {name}: {escaped(_bounded(text))}" for name, text in setting(account) if text]
    yield "## How it was measured\n\n" + "\n".join(lines)


def _repeat(account: Account) -> Iterator[str]:
    steps = repeat.steps(account)
    if steps:
        yield "## How to repeat it"
        yield from (f"{escaped(title)}:\n\n{fenced(_bounded(command, 4000), 'sh')}" for title, command in steps)
