"""Reading a run for people: the log, its events, the trial in progress and the controller become one account.

Whatever comes from an event or from another program's file is taken for data: wrongly typed parts are left out,
text is bounded and cleaned here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from ..background import runtime_file
from ..guidance import nextstep
from ..kernel import ports
from ..kernel.core import log_events
from ..kernel.core.rows import Row
from ..kernel.core.settings import Config
from ..kernel.core.statuses import those
from ..kernel.core.text import one_line
from ..kernel.disk import evidence, locks
from ..kernel.disk.layout import Layout
from ..kernel.run import budget, context
from ..kernel.run.context import Run
from ..notes import bound
from ..search import partly
from . import loose, side_lines
from .account_model import Account, ControllerState, CostWithout, Experiment, OpenTrial, Refused, Said

_REFUSED_PATHS = 5
_SAID_SHOWN = 50
_PROFILE_SHOWN = 12


def read(layout: Layout, clock: float) -> Account:
    """The account of the run at `layout`; raises `Refusal` when there is none or its log is not sound."""
    return of_run(context.load(layout), clock)


def of_run(run: Run, clock: float) -> Account:
    """The account of a loaded run; reads its intent and the controller's file beside it."""
    events = run.log.events
    state, spent = run.state, budget.spent(run)
    experiments = tuple(_experiments(run))
    times = [loose.epoch(text) for text in (_start(events), _last_at(experiments))]
    return Account(
        tag=one_line(run.tag, 80),
        mode=one_line(run.mode, 20),
        environment=one_line(run.log.header.get("environment", ""), 300),
        config=run.config,
        state=state,
        experiments=experiments,
        refused=tuple(_refused([*events, *pending(run)])),
        protected=_protected(events),
        spent=spent,
        started=times[0],
        ended=times[1],
        next_action=nextstep.decide(run.config, run.mode, state, run.log.rows, spent),
        trial=in_progress(run.layout),
        controller=controller(run.layout),
        clock=clock,
        limit=bound.told(run).get("limit", ""),
        said=tuple(_said(events)),
        lines=tuple(side_lines.read(run.log.rows, events)),
        worth=tuple(_worth(run)),
        true_total=_true_total(run),
        profile=tuple(_profile(run)),
    )


def _worth(run: Run) -> Iterable[CostWithout]:
    """The table of the last measurement, with the words of the log."""
    told = {row.iteration: row.description for row in run.log.rows if row.is_main and row.status == "keep"}
    for item in loose.items((evidence.read_json(run.layout.evidence / evidence.WORTH) or {}).get("worth")):
        number = loose.decimal(item.get("iteration")) if isinstance(item, dict) else None
        if number is not None and int(number) in told:
            yield CostWithout(
                iteration=int(number),
                description=one_line(told[int(number)], 160),
                cost=loose.decimal(item.get("cost_without")),
                interval=loose.interval(item.get("interval")),
                guard=loose.text(item, "guard", 10),
                nothing=item.get("worth_nothing") is True,
                problem=loose.text(item, "problem", 160),
            )


def _profile(run: Run) -> Iterable[tuple[str, str, str]]:
    """Functions in the first and in the last profile of the run, those whose share is or was large first."""
    taken = [found for row in run.log.rows if row.is_main and (found := _shares(run.layout, row.iteration))]
    first, last = (taken[0], taken[-1]) if taken else ({}, {})
    names = sorted({*first, *last}, key=lambda name: -max(first.get(name, 0), last.get(name, 0)))
    for name in names[:_PROFILE_SHOWN]:
        before, after = (f"{shares[name]:.0f} %" if name in shares else "" for shares in (first, last))
        yield one_line(name, 120), before, after


def _shares(layout: Layout, iteration: int) -> dict[str, float]:
    """Shares by function, in per cent; line numbers move with any edit and are left out."""
    data = evidence.read_json(evidence.folder(layout.evidence, iteration) / evidence.PROFILE) or {}
    found: dict[str, float] = {}
    for item in loose.items(data.get("spots")):
        share = loose.decimal(item[0]) if isinstance(item, list) and len(item) == 2 else None
        if share is not None:
            name = re.sub(r":\d+\b", "", str(item[1]))
            found[name] = found.get(name, 0) + float(share)
    return found


def _true_total(run: Run) -> str:
    """What the last measurement of the total says; where there is none yet, how it is had."""
    told = one_line(str((evidence.read_json(run.layout.evidence / evidence.TOTAL) or {}).get("told", "")), 600)
    if not any(due(run) for due in ports.asked("row", "is_due")):
        return told
    return f"{told} (something was kept since)" if told else "not measured yet, --total does it"


def in_progress(layout: Layout) -> OpenTrial | None:
    """The experiment being measured, or the one that a kill left."""
    note = evidence.read_json(evidence.intent_path(layout.evidence))
    if note is None:
        return None
    iteration, started = loose.decimal(note.get("iteration")), loose.decimal(note.get("started"))
    if iteration is None or started is None:
        return None
    folder = evidence.folder(layout.evidence, int(iteration))
    doing = loose.text(evidence.read_json(folder / partly.DOING) or {}, "doing", 120)
    return OpenTrial(int(iteration), float(started), locks.is_held(evidence.lock_path(layout.evidence)), doing)


def controller(layout: Layout) -> ControllerState | None:
    """What is true of the background controller: its lock proves its life, its record says the rest."""
    if not layout.runtime.exists():
        return None
    recorded, truth = runtime_file.truth(layout)
    session = recorded.session if recorded else None
    return ControllerState(
        status=truth.decision,
        reason="" if truth.reason in ("none", "runtime_active") else one_line(truth.reason, 80),
        detail=one_line(truth.detail, 160),
        waiting_until=loose.epoch(recorded.waiting_until if recorded else ""),
        command=one_line(session.command, 120) if session else "",
    )


def live(account: Account, layout: Layout) -> Account:
    """The account with what may change while no row is written: the trial in progress and the controller."""
    return replace(account, trial=in_progress(layout), controller=controller(layout))


def pending(run: Run) -> list[Mapping[str, Any]]:
    """Refused attempts that no row carries yet, as events."""
    return [log_events.make("refused", **item) for item in evidence.refusals(run.layout.evidence)]


def _experiments(run: Run) -> Iterable[Experiment]:
    """The rows with their events, and the retained metric before and after each."""
    kinds = ("trial", "samples")
    found = {e["iteration"]: e for e in run.log.events if e.get("kind") in kinds and "iteration" in e}
    retained = run.state.baseline_metric
    for row in run.log.rows:
        before = retained
        if row.is_main and row.metric is not None and row.status in those("retains"):
            retained = row.metric
        event = found.get(row.iteration, {}) if row.is_main else {}
        yield _experiment(row, (before, retained), event, run.config)


def _experiment(row: Row, retained: tuple[Decimal, Decimal], event: Mapping[str, Any], config: Config) -> Experiment:
    samples = [item for item in loose.items(event.get("samples")) if isinstance(item, dict)]
    values = [loose.decimal(item.get("value")) for item in samples]
    own = loose.decimal(event.get("seconds"))
    seconds = [loose.decimal(item.get("seconds")) or Decimal(0) for item in samples]
    others = event.get("others") or (samples[0].get("others") if samples else None)
    why = loose.text(event, "why", 300)
    return Experiment(
        row=row,
        before=retained[0],
        retained=retained[1],
        confirm=_confirm(row, why, config),
        at=loose.text(event, "at", 20),
        why=why,
        hypothesis=one_line(partly.of_the_whole(event, loose.text(event, "hypothesis", 300)), 500),
        runs=int(loose.decimal(event.get("runs")) or len(samples)),
        seconds=float(sum(seconds, Decimal(0)) if own is None else own),
        interval=loose.interval(event.get("interval")),
        others=loose.numbers_by_name(others),
        samples=tuple(value for value in values if value is not None),
        unlikely=event.get("unlikely") is True,
        busy=one_line(str(event.get("busy", "")), 40),
        undecided=event.get("outcome") == "undecided",
    )


def _confirm(row: Row, why: str, config: Config) -> str:
    """A keep of a measured run with a held-out check has passed it; a failure is the reason of its discard."""
    if not (config.measured and config.confirm):
        return ""
    return "pass" if row.status == "keep" else "fail" if why == "confirm failed" else ""


def _refused(events: Sequence[Mapping[str, Any]]) -> Iterable[Refused]:
    for event in events:
        if event.get("kind") == "refused":
            paths = [one_line(str(path), 120) for path in loose.items(event.get("paths"))]
            shown = paths[:_REFUSED_PATHS]
            more = [f"and {len(paths) - len(shown)} more"] if len(paths) > len(shown) else []
            before = loose.decimal(event.get("before_iteration"))
            what, at = loose.text(event, "what", 60), loose.text(event, "at", 20)
            yield Refused(what, tuple(shown + more), at, int(before or 0))


_SAID = {
    "tell": "told",
    "agreed": "agreed to",
    "taken_back": "took back",
    "amended": "amended",
    "escalated": "went on with",
}


def _said(events: Sequence[Mapping[str, Any]]) -> Iterable[Said]:
    """The newest words, oldest first."""
    for event in [event for event in events if event.get("kind") in _SAID][-_SAID_SHOWN:]:
        text = loose.text(event, "text", 500) or loose.text(event, "why", 300)
        if "model" in event:
            text = one_line(f"{event['model']}:{event.get('effort', '')}".rstrip(":"), 120)
        if "of" in event:
            text = f"{one_line(str(event['of']), 20)}: {text}"
        if isinstance(event.get("config"), dict):
            changed = {name: value for name, value in event["config"].items() if name != "agreed"}
            text = one_line(", ".join(f"{name} {value}" for name, value in changed.items()) or "going on", 300)
        at = int(loose.decimal(event.get("iteration")) or 0)
        yield Said(at, _SAID[str(event["kind"])], text, loose.text(event, "at", 20))


def _protected(events: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    files = next((e.get("files") for e in reversed(events) if e.get("kind") == "evaluator"), None)
    return tuple(one_line(str(path), 120) for path in files) if isinstance(files, dict) else ()


def _start(events: Sequence[Mapping[str, Any]]) -> str:
    return next((loose.text(e, "at", 20) for e in events if e.get("kind") == "start"), "")


def _last_at(experiments: Sequence[Experiment]) -> str:
    return next((experiment.at for experiment in reversed(experiments) if experiment.at), "")
