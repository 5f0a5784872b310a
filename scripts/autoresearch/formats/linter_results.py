"""Findings of linters. A file that could not be read or parsed makes the count a crash, for it hides findings."""

from __future__ import annotations

from decimal import Decimal

from ..kernel.core.errors import Refusal
from .contents import Number, count, document, get

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any


def _number(name: str, value: int) -> Number:
    return Number(name, Decimal(value))


def eslint(text: str) -> list[Number]:
    """`eslint -f json`: `findings`, `errors`, `warnings`, `files`."""
    files = document(text, list)
    if not files:
        raise Refusal("eslint looked at no file")
    fatal = [m for item in files for m in get(item, "messages", list) if get(m, "severity") and m.get("fatal")]
    if fatal:
        raise Refusal(f"a file could not be parsed ({str(fatal[0].get('message'))[:80]})")
    errors, warnings = (sum(count(get(item, name), name) for item in files) for name in ("errorCount", "warningCount"))
    if sum(len(item["messages"]) for item in files) != errors + warnings:
        raise Refusal("its counts are not those of its messages")
    named = (("findings", errors + warnings), ("errors", errors), ("warnings", warnings), ("files", len(files)))
    return [_number(name, value) for name, value in named]


def ruff(text: str) -> list[Number]:
    """`ruff check --output-format json`: `findings`; a syntax error is refused."""
    found = document(text, list)
    for item in found:
        get(item, "filename", str)
        if "code" not in item or item["code"] in (None, "invalid-syntax", "E902", "E999"):
            raise Refusal(f"a file could not be parsed ({str(item.get('message'))[:80]})")
    return [_number("findings", len(found)), _number("files", len({item["filename"] for item in found}))]


def sarif(text: str) -> list[Number]:
    """SARIF 2.1 (CodeQL, Semgrep, ruff, bandit): `findings`, `errors`; what is suppressed does not count."""
    data = document(text)
    if not get(data, "version", str).startswith("2."):
        raise Refusal("it is not SARIF of version 2")
    runs = get(data, "runs", list)
    if not runs:
        raise Refusal("it holds no run")
    results = [result for run in runs for result in _ran(run)]
    errors = sum(1 for result in results if result.get("level", "warning") == "error")
    return [_number("findings", len(results)), _number("errors", errors)]


def _ran(run: Any) -> list[dict[str, Any]]:
    get(run, "tool/driver/name", str)
    for invocation in run.get("invocations") or []:
        if not get(invocation, "executionSuccessful", bool):
            raise Refusal("its run did not end well (executionSuccessful is false)")
    results = get(run, "results", list)
    if any(not isinstance(result, dict) for result in results):
        raise Refusal("a result of it is no object")
    if any(result.get("ruleId") in (None, "invalid-syntax") for result in results):
        raise Refusal("a file could not be parsed")
    return [result for result in results if not result.get("suppressions")]
