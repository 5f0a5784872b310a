"""Text that comes from a run is data: one place that bounds it and strips what could do harm."""

from __future__ import annotations

import re
from collections.abc import Iterable

DESCRIPTION_LIMIT = 1000
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?", re.DOTALL)
# C0/C1 controls, line and paragraph separators, direction overrides, byte order mark, lone surrogates.
_HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")
_BLOCK_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+"
)


def one_line(text: str, limit: int = DESCRIPTION_LIMIT) -> str:
    """`text` on one line: no escapes or control characters, white space folded, at most `limit` characters."""
    # Bounded before the work, so that a megabyte costs nothing; escapes and white space can only shrink it.
    bounded = _HARMFUL.sub(" ", _ESCAPES.sub("", text[: 4 * limit]))
    line = " ".join(bounded.split())
    whole = len(line) <= limit and len(text) <= 4 * limit
    return line if whole else line[: limit - 1].rstrip() + "…"


def shortened(text: str, limit: int) -> str:
    """`text` on one line, cut between two words where it is longer than `limit` characters."""
    line = one_line(text)
    if len(line) <= limit:
        return line
    whole = line[:limit].rpartition(" ")[0] or line[: limit - 1]
    return whole.rstrip(" ,;:(-") + "…"


def block(text: str, limit: int) -> str:
    """`text` with its lines kept, escapes and control characters gone, cut in the middle at `limit` characters."""
    text = _BLOCK_HARMFUL.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters cut …]\n{text[len(text) - half :]}"


def fenced(text: str, language: str = "") -> str:
    """`text` as a code block of Markdown, whose fence is longer than any run of backticks in it."""
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 0)
    return f"{fence}{language}\n{text}\n{fence}"


def listing(items: Iterable[str], limit: int = 5) -> str:
    """The first `limit` items, comma separated, and how many more there are."""
    shown = [one_line(item, 120) for item in items]
    more = f" and {len(shown) - limit} more" if len(shown) > limit else ""
    return ", ".join(shown[:limit]) + more
