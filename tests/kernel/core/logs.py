"""Random rows, labels and whole valid logs, for the property tests of core and disk."""

from __future__ import annotations

import string
from decimal import Decimal

from autoresearch.kernel.core import numbers, rows
from autoresearch.kernel.core.choices import GUARDS
from autoresearch.kernel.core.rows import Row
from autoresearch.kernel.core.statuses import RECORDABLE
from hypothesis import strategies as st

METRIC = st.decimals(min_value=-1000, max_value=1000, allow_nan=False, places=3)
COMMIT = st.text("0123456789abcdef", min_size=7, max_size=7)
LABEL = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=6)
LABELS = st.lists(LABEL, max_size=3, unique=True).map(tuple)
# Text as it comes from anywhere: tabs, line breaks, escapes, half characters, label prefixes.
WILD = st.lists(
    st.one_of(
        st.text(max_size=10),
        st.sampled_from(
            ["\t", "\n", "\r\n", "\u2028", "\x85", "\x1b[31m", "\x1b]0;t\x07", "\ud83d", "\x00", "# event: {}", "$(id)"]
        ),
        LABELS.map(lambda found: f"[labels: {', '.join(found)}] "),
    ),
    max_size=6,
).map("".join)


def clean(wild: str, given: tuple[str, ...] = ()) -> tuple[tuple[str, ...], str]:
    """Labels and description as the commands make them, for text whose own labels are usable."""
    return rows.describe(wild, given)


@st.composite
def valid_logs(draw: st.DrawFn, max_rows: int = 15) -> tuple[Row, ...]:
    """A baseline row and any rows that may follow it, worker rows included."""
    found = [Row(0, "", draw(COMMIT), draw(METRIC), "0", "-", "baseline", (), "initial")]
    for number in range(1, draw(st.integers(1, max_rows))):
        for worker in range(draw(st.sampled_from([0, 0, 0, 2]))):
            found.append(draw(following(number, string.ascii_lowercase[worker])))
        found.append(draw(following(number, "")))
    return tuple(found)


@st.composite
def following(draw: st.DrawFn, number: int, worker: str) -> Row:
    """A row that may stand at `number`."""
    status = draw(st.sampled_from(RECORDABLE))
    needs = status in ("keep", "drift", "discard")
    metric = draw(METRIC if needs else st.none() | METRIC)
    commit = draw(COMMIT if status in ("keep", "discard", "crash", "drift") else st.just("-") | COMMIT)
    labels, description = clean(draw(WILD), draw(LABELS))
    delta = numbers.signed(Decimal(draw(st.integers(-9, 9))))
    return Row(number, worker, commit, metric, delta, draw(st.sampled_from(GUARDS)), status, labels, description)
