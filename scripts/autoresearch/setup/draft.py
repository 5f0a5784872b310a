"""The first message to the user, as a draft from a dry run: at most twelve lines, both choices in it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..cli import guards
from ..kernel.core.settings import Config
from ..kernel.core.supervise import Spent, budgets
from ..kernel.core.text import listing, one_line, shortened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST = 12  # lines: half a minute
USUAL = 20  # experiments, where no end was named
_WARNING = 220  # characters of one warning
_SHIPPED = re.compile(r"python3 \S*/autoresearch_check\.py")
_AS_TODAY = re.compile(r"^(\S+) == .*$")
_TESTS = re.compile(r"autoresearch_check\.py (?:coverage|(?:py|vi|go|cargo|unit)?test|jest|junit)")
LIKE = "one kind of fix, as far as it safely goes: the number is an exact count of like findings"
HELD = "Must not break:"
SINGLE = "one cause, a new structure with its retuning included: what is measured together cannot be told apart"


def is_shipped(verify: str) -> bool:
    """Whether the check is one of those that come with the skill."""
    return _SHIPPED.search(verify) is not None


def cautions(verify: str, printed: str) -> list[str]:
    """What a shipped check says of its own number that the user must know before "go"."""
    found = re.findall(r"^# caution: (.*)$", printed, re.MULTILINE) if is_shipped(verify) else []
    return [one_line(text, _WARNING) for text in found[:2]]


def size(is_exact: bool, findings: int) -> str:
    """How large one experiment is to be: an exact count of several places to mend asks for whole kinds of fixes."""
    return LIKE if is_exact and findings > 1 else SINGLE


def lines(config: Config, sentence: str, told: Mapping[str, Any]) -> list[str]:
    """The message; `sentence` says the value and its noise, `told` is the dry run's answer with `size`."""
    found = [
        f"Goal: {one_line(config.goal, 200) or config.metric}",
        f"Now: {sentence}",
        f"May change: {config.scope or 'the whole repository'}" + _locked(config, told),
        f"Check: {shortened(_SHIPPED.sub('shipped check', config.verify), 160)}",
        f"{HELD} {_guard(config, str(told.get('guard', '-')))}",
    ]
    held = [_AS_TODAY.sub(r"\1 as today", rule) for rule in config.require]
    found += [f"Also held: {listing(held, 6)}"] if held else []
    last = [
        f"One experiment is {told['size']}. {_end(config)}",
        "Each is a commit on a branch of its own; failures are undone by the tool; all is kept in the log.",
        'Foreground: I work here. Background: it works alone with your rights. "stop" ends either.',
    ]
    reply = f"{config.iterations or USUAL}, go" if config.iterations or not _ends(config) else "go"
    last.append(f'Reply "background, {reply}" or "foreground, {reply}", or tell me what to change.')
    return [*found, *_warned(told.get("warnings", ()), MOST - len(found) - len(last)), *last]


def _warned(warnings: Sequence[object], room: int) -> list[str]:
    """The warnings in `room` lines at most: one a line, the last line shared by all that are left. A guard that fails
    is told in its own line."""
    texts = [text for text in map(str, warnings) if not text.startswith("the guard fails")]
    alone, shared = texts[: room - 1], texts[room - 1 :]
    width = max(110, 330 // max(len(shared), 1))
    joined = "; ".join(shortened(one_line(text, 2 * _WARNING), width) for text in shared[:3])
    more = f"; and {len(shared) - 3} more" if len(shared) > 3 else ""
    lines = [
        *(shortened(one_line(text, 2 * _WARNING), _WARNING) for text in alone),
        *([joined + more] if shared else []),
    ]
    return [f"Before a start: {line}" for line in lines]


def _locked(config: Config, told: Mapping[str, Any]) -> str:
    """What no trial may edit: as it was asked for, and how many files that and the checks come to."""
    count = told.get("protected_count", 0)
    asked = listing(config.protect, 4) or "what the checks run"
    return f"; locked: {asked} ({count} file{'s' * (count != 1)})" if count else ""


def _guard(config: Config, state: str) -> str:
    if not config.guard and _TESTS.search(config.verify):
        return "the tests, which the check itself runs"
    if not config.guard:
        return "nothing is checked beside the number: is there a test that should be?"
    names = [
        shortened(_SHIPPED.sub("shipped check", part.name or part.command), 70) for part in guards.parts(config.guard)
    ]
    return f"{listing(names, 4)} ({'passes' if state == 'pass' else 'FAILS'} today)"


def _ends(config: Config) -> list[str]:
    """The limits that end the run whatever comes of it."""
    words = {"iterations": "experiments", "minutes": "minutes after the start (setting up not counted)"}
    found = [f"{limit:.15g} {words.get(row.unit, row.unit)}" for row, _, limit in budgets(config, 0, Spent())]
    return [*found, *([config.until] if config.until else [])]


def _end(config: Config) -> str:
    limits = _ends(config)
    goal = [config.stop_condition] if config.stop_condition else []
    if limits:
        which = ", whichever comes first" if len([*goal, *limits]) > 1 else ""
        return f"Ends at {' or '.join([*goal, *limits])}{which}."
    before = f"at {goal[0]}, at the latest " if goal else ""
    return f"Ends {before}after {USUAL} experiments, unless you say otherwise."
