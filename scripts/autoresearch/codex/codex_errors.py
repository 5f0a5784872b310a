"""Why a Codex session ended, and what to do about it.

The exit code alone says little (1 covers everything), so failures are told apart by the text of
`turn.failed`, or by what the CLI printed when it refused to start. The patterns are messages of codex-cli
0.169.0; its apostrophes are typographic, so no pattern has one.
"""

from __future__ import annotations

import re

from ..background import agent
from ..background.agent import ErrorClass, Name
from ..kernel.core.text import one_line

RETRY_CAP_S = 86_400.0
TEXT_LIMIT = 500

# The first pattern that is found decides. HTTP 400 comes as its bare JSON body, which may quote anything:
# only a full context and a missing model are looked for in it.
_RULES: tuple[tuple[Name, str], ...] = (
    ("bad_request", r"^error: |^error loading |^not inside a trusted directory"),
    ("context_overflow", r"ran out of room in the model|context_length_exceeded|exceeds the context window"),
    ("missing_model", r"\bmodel\b.{1,80}(?:does not exist|is not supported|not found)|model_not_found"),
    ("bad_request", r"^\{"),
    ("usage_limit", r"hit your usage limit|usage_limit_reached|to use codex with your chatgpt plan"),
    ("quota", r"quota exceeded|insufficient_quota|exceeded your current quota|\bstatus 402\b"),
    ("authentication", r"\bstatus 40[13]\b|^missing environment variable|(?:log|sign) ?in again"),
    ("rate_limited", r"\b429\b|rate limit|too many requests"),
    ("overloaded", r"at capacity|overloaded|high demand|\bstatus 5\d\d\b"),
    ("bad_request", r"\bstatus 4\d\d\b|invalid prompt|invalid_request"),
    ("network", r"^connection failed|^stream disconnected|error sending request|timed out|timeout"),
)
_PATTERNS = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _RULES)
_START_UP = re.compile(r"^(?:error\b|not inside a trusted directory)", re.IGNORECASE)
_AGAIN = re.compile(r"try again in\s+((?:[\d.]+\s*[a-z]+[\s,]*)+)", re.IGNORECASE)
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|h|m|s)", re.IGNORECASE)
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def classify(failure_text: str, exit_code: int | None, completed: bool) -> ErrorClass:
    """Return the class of a session's ending.

    `failure_text` is the message of `turn.failed`, or what `start_up_error` found; `exit_code` is negative
    for a signal, None when nobody collected it; `completed` says that `turn.completed` was seen.
    """
    text = one_line(failure_text, TEXT_LIMIT)
    if exit_code == 0 and completed and not text:
        return agent.error("ok")
    name = next((name for name, pattern in _PATTERNS if pattern.search(text)), None)
    name = name or _by_exit_code(exit_code, text)
    return agent.error(name, text, retry_after(text) if name == "rate_limited" else None)


def _by_exit_code(exit_code: int | None, text: str) -> Name:
    if exit_code == 2:
        return "bad_request"
    if exit_code is None or exit_code < 0 or exit_code > 128:
        return "interrupted"
    # An interrupt from the keyboard ends the CLI with 1 and without a word.
    return "interrupted" if exit_code == 1 and not text else "unknown"


def retry_after(text: str) -> float | None:
    """Return the seconds of a "try again in 1m30s" within the text (at most a day), or None."""
    found = _AGAIN.search(text)
    spans = _SPAN.findall(found[1]) if found else []
    if not spans:
        return None
    return min(RETRY_CAP_S, sum(float(number) * _UNIT_S[unit.lower()] for number, unit in spans))


def start_up_error(stderr: str) -> str:
    """Return the line with which the CLI refused to start (bad configuration, no repository), or ""."""
    lines = (line.strip() for line in stderr.splitlines())
    return next((one_line(line, TEXT_LIMIT) for line in lines if _START_UP.match(line)), "")
