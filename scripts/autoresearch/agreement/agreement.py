"""What the user says to a run that exists: more of a budget, another end, a word to whoever works on it.

Each is an event of its own in the log, so the run's agreement can be read from the log alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from ..cli import moments
from ..kernel.core import log_events, numbers, pace, supervise
from ..kernel.core.config import ROWS
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import replace
from ..kernel.core.rows import Row
from ..kernel.core.settings import BUDGETS
from ..kernel.core.text import DESCRIPTION_LIMIT, one_line
from ..kernel.disk.journal import Event
from ..kernel.disk.layout import Layout
from ..kernel.run import budget, context
from ..kernel.run.context import Run
from . import validity
from .said import TEXT_LIMIT

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

TEXTS = ("stop_condition", "until", "price")  # are replaced; "none" for none
EXTENDABLE = (*(row.name for row in BUDGETS), *TEXTS)
# Words that would change what was agreed; for them there are flags.
_AGREED = re.compile(
    r"\b(?:scope|verify|guard|stop condition|budget)\b"
    r"|\b(?:change|replace|switch|another|other|new|different)\b.{0,20}\b(?:metric|check|goal)\b|\b\d+ more\b"
    r"|\b(?:\d+|more|fewer|less|extra|another)\s+(?:more\s+)?(?:iterations?|trials?|experiments?|minutes|hours|tokens|sessions)\b",
    re.IGNORECASE,
)


def extend(layout: Layout, wish: Mapping[str, str]) -> Run:
    """Agree on more: of the budgets (`+20`: from here on, `70`: in all) or another end ("none" for none).

    A hand-over to a human counts as answered. Raises `Refusal` when the run would be over all the same.
    """
    with context.writing(layout) as (run, held):
        changes = {name: _value(run, name, text) for name, text in wish.items()}
        state = run.state
        answered = {"iteration": state.iteration, "pivots": state.pivot_count, "keeps": state.keeps}
        config = replace(run.config, **changes, agreed=answered)
        validity.validate(config, run.mode)
        verdict = supervise.judge(config, run.mode, state, budget.spent(run))
        if verdict.decision != supervise.RELAUNCH:
            raise Refusal(
                f"the run would still be over ({verdict.reason}: {verdict.detail}), expected room to go on; "
                f"change that too: {', '.join('--' + name.replace('_', '-') for name in EXTENDABLE)}"
            )
        was = {name: getattr(run.config, name) for name in changes}
        event: Event = log_events.make(
            "agreed", at=context.now(), iteration=state.iteration, config={**changes, "agreed": answered}, was=was
        )
        return context.append(replace(run, config=config), held, [event], [])


def _value(run: Run, name: str, text: str) -> Any:
    if name == "stop_condition":
        wanted = "" if text.strip().lower() == "none" else text
        replace(run.config, stop_condition=wanted).stop_at(run.mode)  # raises for one that is not understood
        return wanted
    if name in ("until", "price") and text.strip().lower() == "none":
        return ""
    if name == "until":
        return moments.moment(text)
    if name == "price":
        return text if pace.prices(text) else ""
    number = numbers.parse(text.lstrip("+"), name.replace("_", " "))
    row, spent = ROWS[name], replace(budget.spent(run), minutes=round(budget.minutes(run), 1))
    used, whole = supervise.used(row, run.state.counted, spent), row.kind.startswith("int")
    taken = Decimal(int(used)) if whole else Decimal(f"{used:.4f}").normalize()
    total = number + taken if text.startswith("+") else number
    if total <= 0 or (whole and total != int(total)):
        raise Refusal(f"{name.replace('_', ' ')} {text[:40]!r} is not usable, expected a number such as 70 or +20")
    return int(total) if whole else total


def tell(layout: Layout, text: str) -> Run:
    """Hand the user's word to whoever works on the run; raises `Refusal` for one that would change the agreement."""
    word = one_line(text, TEXT_LIMIT)
    if not word:
        raise Refusal("there is nothing to tell, expected a sentence; add it")
    if _AGREED.search(word):
        raise Refusal(
            "this would change what was agreed, expected a hint for the work; budgets and the stop condition change "
            "with runtime_ctl start --iterations +20 (or init_run --extend), scope and checks with a new launch"
        )
    with context.writing(layout) as (run, held):
        event: Event = log_events.make("tell", at=context.now(), iteration=run.state.iteration, text=word)
        return context.append(run, held, [event], [])


def amend(layout: Layout, number: int, text: str) -> tuple[Run, Row]:
    """Say anew what was tried in an iteration: an event; the row stays as it was written. Raises `Refusal`."""
    with context.writing(layout) as (run, held):
        row = next((row for row in run.log.rows if row.is_main and row.iteration == number), None)
        word = one_line(text, DESCRIPTION_LIMIT)
        if row is None or not word:
            said = "--description is missing" if row else f"there is no iteration {number}"
            raise Refusal(f"{said}, expected --amend N of a row that is there, and --description with the right words")
        event: Event = log_events.make("amended", at=context.now(), iteration=run.state.iteration, of=number, text=word)
        after = context.append(run, held, [event], [])
        return after, row._replace(description=word)
