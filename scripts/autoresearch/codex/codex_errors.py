"""Why a Codex session ended, and what to do about it.

The exit code alone says little (1 covers everything), so failures are told apart by the text of
`turn.failed`, or by what the CLI printed when it refused to start. The patterns are messages of codex-cli
0.150.1 to 0.171.0; its apostrophes are typographic, so no pattern has one.
"""

from __future__ import annotations

import re
import time

from ..background import agent
from ..background.agent import ErrorClass, Name
from ..kernel.core.text import one_line
from .rollout import Record

RETRY_CAP_S = 86_400.0
RESET_MARGIN_S = 2.0  # after a reset, for clocks differ
TEXT_LIMIT = 500

# The first pattern that is found decides. HTTP 400 comes as its bare JSON body, which may quote anything:
# only a full context and a missing model are looked for in it.
_RULES: tuple[tuple[Name, str], ...] = (
    ("bad_request", r"^error: |^error loading |^not inside a trusted directory"),
    ("context_overflow", r"ran out of room in the model|context_length_exceeded|exceeds the context window"),
    ("missing_model", r"\bmodel\b.{1,80}(?:does not exist|is not supported|not found)|model_not_found"),
    ("bad_request", r"^\{"),
    ("quota", r"out of credits|hit your spend"),
    ("usage_limit", r"hit your usage limit|usage_limit_reached|to use codex with your chatgpt plan"),
    ("quota", r"quota exceeded|insufficient_quota|exceeded your current quota|\bstatus 402\b"),
    ("authentication", r"\bstatus 40[13]\b|^missing environment variable|(?:log|sign) ?in again"),
    ("rate_limited", r"\b429\b|rate limit|too many requests"),
    ("overloaded", r"at capacity|overloaded|high demand|\bstatus 5\d\d\b"),
    ("bad_request", r"\bstatus 4\d\d\b|invalid prompt|invalid_request"),
    ("network", r"^connection failed|^stream disconnected|error sending request|timed out|timeout"),
)
_PATTERNS = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _RULES)
# Kinds as a session's record names them (`codex_error_info`); what is missing here is told by its text.
_KINDS: dict[str, Name] = {
    "usage_limit_exceeded": "usage_limit",
    "rate_limit_exceeded": "rate_limited",
    "server_overloaded": "overloaded",
    "flex_unavailable": "overloaded",
    "model_not_found": "missing_model",
    "context_window_exceeded": "context_overflow",
    "unauthorized": "authentication",
    "invalid_prompt": "bad_request",
    "cyber_policy": "denied",
    "bio_policy": "denied",
    "misalignment_policy_violation": "denied",
    "inference_hook_denied": "denied",
}
_BY_STATUS: dict[int, Name] = {401: "authentication", 402: "quota", 403: "authentication", 429: "rate_limited"}
_CONNECTION = ("http_connection_failed", "response_stream_connection_failed")
_SPENT = re.compile(r"out of credits|spend(?:ing)? cap|quota", re.IGNORECASE)
_AT = re.compile(
    r"try again at (?P<day>[A-Z][a-z]{2} \d{1,2}(?:st|nd|rd|th), \d{4} )?"
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)\s?(?P<half>[AP]M)",
    re.IGNORECASE,
)
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
    if name == "usage_limit":
        return _limited(None, text, time.time())
    return agent.error(name, text, retry_after(text) if name == "rate_limited" else None)


def by_record(record: Record, text: str, now: float) -> ErrorClass | None:
    """Return the class of the kind that the session's record names, None where it names none that is known.

    A plan's limit is waited for until its reset (`now` is the epoch); an account without credit is not.
    """
    name = _KINDS.get(record.error) or _BY_STATUS.get(record.status)
    if record.error in _CONNECTION and name is None:
        name = "overloaded" if record.status >= 500 else "bad_request" if record.status >= 400 else "network"
    text = one_line(text, TEXT_LIMIT)
    if name == "usage_limit":
        spent = record.reached.startswith("workspace_") or _SPENT.search(text)
        return agent.error("quota", text) if spent else _limited(record.resets_at, text, now)
    return agent.error(name, text, retry_after(text) if name == "rate_limited" else None) if name else None


def _limited(resets_at: float | None, text: str, now: float) -> ErrorClass:
    """A plan's limit, with the seconds until it is reset as the record or the text tells."""
    until = resets_at or _clock_time(text, now)
    return agent.error("usage_limit", text, max(1.0, until - now + RESET_MARGIN_S) if until else None)


def _clock_time(text: str, now: float) -> float | None:
    """The epoch of a "try again at 3:27 AM" or "at Nov 30th, 2026 1:21 AM" (local time), None without one."""
    found = _AT.search(text)
    if found is None:
        return None
    day, clock = found["day"], f"{found['hour']}:{found['minute']} {found['half'].upper()}"
    today = time.strftime("%b %d, %Y", time.localtime(now))
    date = re.sub(r"(\d)(?:st|nd|rd|th)", r"\1", day) if day else today
    try:
        until = time.mktime(time.strptime(f"{date} {clock}", "%b %d, %Y %I:%M %p"))
    except (ValueError, OverflowError):
        return None
    return until + 86_400 if not day and until < now - 60 else until


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
