"""Lighthouse: the scores of a page and its numeric audits."""

from __future__ import annotations

from ..kernel.core.errors import Refusal
from .contents import Number, decimal, document, get

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

_UNITS = {"millisecond": "ms", "second": "s", "byte": "B", "unitless": "", "element": "", "": ""}


def lighthouse(text: str) -> list[Number]:
    """`lighthouse --output=json` (version 3 and later): scores of categories from 0 to 100, and the audits that have a
    number. A page that did not load is refused; a category without a score (one of its audits failed) is not there."""
    data = document(text)
    get(data, "lighthouseVersion", str)
    failed = data.get("runtimeError")
    if failed and failed.get("code") != "NO_ERROR":
        raise Refusal(f"the page was not measured ({str(failed.get('code'))[:40]}: {str(failed.get('message'))[:80]})")
    categories, audits = (get(data, name, dict) for name in ("categories", "audits"))
    found = [_score(name, item) for name, item in categories.items() if item.get("score") is not None]
    return found + [_audit(name, item) for name, item in audits.items() if _has_number(item)]


def _has_number(audit: Any) -> bool:
    return get(audit, "scoreDisplayMode", str) != "error" and audit.get("numericValue") is not None


def _score(name: str, category: Any) -> Number:
    score = decimal(get(category, "score"), name)
    if not 0 <= score <= 1:
        raise Refusal(f"{name} is {score}, expected a score from 0 to 1")
    return Number(name, score * 100)


def _audit(name: str, audit: Any) -> Number:
    unit = audit.get("numericUnit", "")
    if unit not in _UNITS:
        raise Refusal(f"{name} is in {str(unit)[:20]!r}, which is no known unit")
    return Number(name, decimal(get(audit, "numericValue"), name), _UNITS[unit])
