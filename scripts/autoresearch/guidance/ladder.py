"""The ladder since the last keep: refine, pivot, search, hand over; and the limits on web searches."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..kernel.core.choices import HAND_OVER_AT, PIVOT_AT, REFINE_AT, SEARCH_AFTER
from ..kernel.core.decision import UNDECIDED
from ..kernel.core.frozen import dataclass
from ..kernel.core.rows import LINE, Row
from ..kernel.core.statuses import those
from ..kernel.core.supervise import HUMAN

_FAILED, _EXPERIMENTS, _RESTARTS = those("failure"), those("strike"), those("restarts")
_QUOTED = re.compile(r"""(?<!\w)(['"]).*?(?:\1(?!\w)|$)""")
TOO_NOISY_AT = 3  # undecided experiments in a row


@dataclass(frozen=True)
class NextMove:
    """The next move: `continue`, `refine`, `pivot`, `search` or `needs_human`, and why."""

    action: str
    reason: str


def since_keep(rows: Sequence[Row]) -> list[Row]:
    """The main rows after the last keep (or the baseline, or the step of a side line), oldest first."""
    tail: list[Row] = []
    for row in reversed(rows):
        if row.is_main:
            if row.status in _RESTARTS or (row.status == "drift" and row.description.startswith(LINE)):
                break
            tail.append(row)
    return tail[::-1]


def step(rows: Sequence[Row], web_search: str) -> NextMove:
    """What the ladder asks for after these rows."""
    tail = since_keep(rows)
    pivots = sum(row.status == "pivot" for row in tail)
    if pivots >= HAND_OVER_AT:
        return NextMove(HUMAN, f"{pivots} pivots without a keep")
    last_pivot = max((n for n, row in enumerate(tail) if row.status == "pivot"), default=-1)
    recent = [
        row for row in tail[last_pivot + 1 :] if row.status in _EXPERIMENTS and not row.is_own and not is_undecided(row)
    ]
    searched = any(row.status == "search" for row in tail[last_pivot + 1 :])
    if pivots >= SEARCH_AFTER and web_search == "enabled" and not searched and search_refusal(rows) is None:
        return NextMove("search", f"{pivots} pivots without a keep")
    noisy = _too_noisy(tail)
    if len(recent) >= PIVOT_AT:
        return NextMove("pivot", _joined(f"{len(recent)} experiments in a row without a keep", noisy))
    failed = 0
    for row in reversed(recent):
        if row.status not in _FAILED:
            break
        failed += 1
    if failed >= REFINE_AT:
        return NextMove("refine", _joined(f"{failed} experiments in a row did not help", noisy))
    return NextMove("continue", noisy)


def _joined(*reasons: str) -> str:
    return "; ".join(filter(None, reasons))


def is_undecided(row: Row) -> bool:
    """Whether an experiment was discarded without being refuted: it is no step towards refine and pivot."""
    return row.status == "discard" and row.description.endswith(f"({UNDECIDED})")


def _too_noisy(tail: Sequence[Row]) -> str:
    """What to say after several undecided experiments in a row, else ""."""
    open_ones: list[Row] = []
    for row in reversed(tail):
        if is_undecided(row):
            open_ones.append(row)
        elif row.status in _FAILED:
            break
    if len(open_ones) < TOO_NOISY_AT:
        return ""
    return (
        f"{len(open_ones)} undecided in a row: the check is too noisy for gains of this size; join causes into one "
        "larger edit, also those that were undecided (autoresearch_run_trial.py --retry "
        f"{open_ones[1].iteration},{open_ones[0].iteration}); at the end tell the user what helps the next run: a "
        "longer workload, processor time or counted instructions, more --max-runs, a calm machine"
    )


def same_crash(rows: Sequence[Row]) -> int:
    """How many crashes in a row end the log; five of the same kind are a hard blocker."""
    mains = [row for row in rows if row.is_main]
    count = 0
    while count < len(mains) and mains[-1 - count].status == "crash" and _kind(mains[-1 - count]) == _kind(mains[-1]):
        count += 1
    return count


def _kind(row: Row) -> str:
    """What crashed: the reason that closes the description without what it quotes of the output, or all of it."""
    _, told, reason = row.description.rpartition(" (crash: ")
    return _QUOTED.sub("", reason) if told else reason


def search_refusal(rows: Sequence[Row]) -> str | None:
    """Why a web search may not be logged now, or None; limits of references/web-search-protocol.md."""
    mains = [row for row in rows if row.is_main]
    now = mains[-1].iteration + 1 if mains else 0
    searches = [row.iteration for row in mains if row.status == "search"]
    if now <= 3:
        return "the first 3 iterations never search"
    if searches and now - searches[-1] < 2:
        return "the last search was less than 2 iterations ago"
    if sum(now - at < 10 for at in searches) >= 3:
        return "3 searches in the last 10 iterations"
    return None
