"""The list of experiments in the report: one line each, which opens to what the evidence holds.

A report has a size it must not outgrow. So every line is bounded, and what the lines open to is taken from one pool:
first a few facts of every experiment, then output and patches, those of kept and of recent experiments first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from html import escape
from pathlib import Path

from ..kernel.core.text import one_line
from . import details, figures, marks, strip
from .account_model import Account, Experiment
from .details import Details, Excerpt

LINE_LIMIT = 160
LISTED = 2000
_READ_FROM = 1024  # bytes of the pool below which no more evidence is opened


@dataclass
class Pool:
    """Bytes that may still be spent on what the lines open to."""

    left: int
    bodies: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, part: str, where: str) -> None:
        """Add a part to an experiment's body, or remember where to find it when there is no room."""
        size = len(part.encode())
        if size <= self.left:
            self.left -= size
            self.bodies.setdefault(name, []).append(part)
        else:
            self.refused.setdefault(name, []).append(where)


def listed(experiments: Sequence[Experiment]) -> tuple[Experiment, ...]:
    """The experiments that get a line, in the log's order: all of them, or the most telling of very many."""
    chosen = {experiment.name for experiment in by_weight(experiments)[:LISTED]}
    return tuple(experiment for experiment in experiments if experiment.name in chosen)


def by_weight(experiments: Sequence[Experiment]) -> list[Experiment]:
    """Kept ones first, the newest of each first."""
    newest = list(reversed(experiments))
    return sorted(newest, key=lambda e: e.row.status not in ("keep", "baseline"))


def render(account: Account, shown: Sequence[Experiment], evidence: Path, room: int) -> str:
    """The list, in at most `room` bytes beyond its lines; `evidence` is the folder of captured output."""
    lines = {experiment.name: _line(experiment, account) for experiment in shown}
    pool = Pool(room - sum(len(line.encode()) + 120 for line in lines.values()))
    for experiment in by_weight(shown):
        pool.add(experiment.name, _facts(experiment, account), "")
    for experiment in by_weight(shown):
        _add_evidence(pool, experiment, account, evidence)
    return "".join(_entry(experiment, lines[experiment.name], pool, evidence) for experiment in shown)


def _entry(experiment: Experiment, line: str, pool: Pool, evidence: Path) -> str:
    parts = pool.bodies.get(experiment.name, [])
    if experiment.name in pool.refused:
        where = [name for name in pool.refused[experiment.name] if name]
        places = ", ".join(f"<code>{escape(name)}</code>" for name in where)
        parts = [*parts, f'<p class="note">Left out to keep this file small: {places or "its figures"}.</p>']
    kind = marks.kind(experiment)
    return (
        f'<details class="e {kind} s-{experiment.row.status}">{line}'
        f'<div class="body" id="e{experiment.name}">{"".join(parts)}</div></details>\n'
    )


def _line(experiment: Experiment, account: Account) -> str:
    row, value = experiment.row, experiment.value
    metric = "–" if value is None else figures.number(value, account.spread)
    moved = "" if value is None or row.status == "baseline" else figures.change(experiment.before, value)
    flags = "".join(f' <em class="{colour}">{text}</em>' for colour, text in marks.flags(experiment))
    return (
        f'<summary>{marks.row_icon(experiment)}<b class="n">{experiment.name}</b><span class="st">{row.status}</span>'
        f'<span class="v">{metric}</span><span class="d">{moved}</span>'
        f'<span class="t">{escape(one_line(experiment.said, LINE_LIMIT))}{flags}</span></summary>'
    )


def _facts(experiment: Experiment, account: Account) -> str:
    """What the log itself tells, as a list of terms."""
    pairs = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in facts(experiment, account) if text)
    return f"<dl>{pairs}</dl>"


def facts(experiment: Experiment, account: Account) -> Iterator[tuple[str, str]]:
    """Name and text of what the log tells of an experiment; empty where it says nothing."""
    row, spread = experiment.row, account.spread
    if len(row.description) > LINE_LIMIT:
        yield "Description", row.description
    yield "Hypothesis", experiment.hypothesis
    yield "Decision", experiment.why
    if experiment.interval:
        low, high = (figures.number(end, spread) for end in experiment.interval)
        sure = f"{1 - float(account.config.alpha):.0%}".replace("%", " %")
        yield "Estimate", f"{low} to {high} (interval at {sure} over all looks)"
    yield "Retained", _retained(experiment, spread)
    yield "Cost", _cost(experiment)
    yield "Guard", "" if row.guard == "-" else row.guard
    yield "Labels", ", ".join(row.labels)
    yield "Commit", "" if row.commit == "-" else row.commit
    yield "Other figures", ", ".join(f"{name} {figures.number(value)}" for name, value in experiment.others)
    yield "Recorded", experiment.at


def _retained(experiment: Experiment, spread: Decimal) -> str:
    before, after = figures.number(experiment.before, spread), figures.number(experiment.retained, spread)
    return f"{before} → {after}" if before != after else before


def _cost(experiment: Experiment) -> str:
    if not experiment.runs:
        return ""
    return f"{figures.count(experiment.runs, 'run')} of the check, {figures.duration(experiment.seconds)}"


def _add_evidence(pool: Pool, experiment: Experiment, account: Account, evidence: Path) -> None:
    folder = f"{evidence.name}/{experiment.row.iteration:04d}/"
    if pool.left < _READ_FROM:
        if experiment.runs:
            pool.refused.setdefault(experiment.name, []).append(folder)
        return
    found = details.read(evidence, experiment)
    if len(found.hypothesis) > len(experiment.hypothesis):
        pool.add(experiment.name, _pre("Hypothesis in full", found.hypothesis), folder + "trial.json")
    if len(found.candidate) > 1:
        pool.add(experiment.name, _samples(found, account), folder + "trial.json")
    for excerpt in found.outputs:
        before = f"[… {excerpt.left_out:,} bytes before …]\n" if excerpt.left_out else ""
        pool.add(experiment.name, _pre(_output_name(excerpt), before + excerpt.text), excerpt.path)
    if found.patch:
        pool.add(experiment.name, _patch(found.patch), found.patch.path)


def _output_name(excerpt: Excerpt) -> str:
    return f"{'End of output' if excerpt.left_out else 'Output'}: {excerpt.path.partition('/')[2]}"


def _samples(found: Details, account: Account) -> str:
    return f"<h4>Samples, in the order they were run</h4>{strip.svg(found, account)}" + "".join(
        f'<p class="samples"><span>{name}</span> {" ".join(map(_sample, values))}</p>'
        for name, values in (("candidate", found.candidate), ("retained", found.retained))
        if values
    )


def _sample(value: Decimal | None) -> str:
    return "–" if value is None else figures.number(value)


def _pre(title: str, text: str) -> str:
    # Whoever reads with the keyboard scrolls a box only when it can have the focus.
    return f'<h4>{escape(title)}</h4><pre tabindex="0">{escape(text, quote=False)}</pre>'


def _patch(excerpt: Excerpt) -> str:
    lines = "\n".join(map(_patch_line, excerpt.text.split("\n")))
    more = f"\n[… {excerpt.left_out:,} bytes more in {escape(excerpt.path)}]" if excerpt.left_out else ""
    return f'<h4>Patch</h4><pre tabindex="0" class="patch">{lines}{more}</pre>'


def _patch_line(line: str) -> str:
    text = escape(line, quote=False)
    if line.startswith(("+++", "---", "diff ", "index ", "new file", "deleted file")):
        return f"<i>{text}</i>"
    tag = {"+": "ins", "-": "del", "@": "b"}.get(line[:1])
    return f"<{tag}>{text}</{tag}>" if tag else text
