from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from autoresearch.background.agent import ErrorClass, Usage
from autoresearch.codex import rollout
from autoresearch.codex.codex_errors import TEXT_LIMIT, by_record, classify, retry_after, start_up_error
from autoresearch.codex.rollout import Record

URL = "url: http://127.0.0.1:42963/v1/responses"

# `turn.failed` as codex-cli 0.171.0 words it.
FAILURES = [
    ("exceeded retry limit, last status: 429 Too Many Requests", "rate_limited", "backoff"),
    (
        "rate limit exceeded: Rate limit reached for gpt-5.5 on tokens per min. Please try again in 1.5s.",
        "rate_limited",
        "wait",
    ),
    ("You\u2019ve hit your usage limit. Try again later.", "usage_limit", "human"),
    (
        "You\u2019ve hit your usage limit. Visit https://chatgpt.com/settings/usage to purchase more credits "
        "or try again at 4:51 PM.",
        "usage_limit",
        "wait",
    ),
    (
        "To use Codex with your ChatGPT plan, upgrade to Plus: https://chatgpt.com/explore/plus.",
        "usage_limit",
        "human",
    ),
    ("Quota exceeded. Check your plan and billing details.", "quota", "human"),
    (f"unexpected status 402 Payment Required: pay, {URL}", "quota", "human"),
    ("Selected model is at capacity. Please try a different model.", "overloaded", "backoff"),
    (
        "We\u2019re currently experiencing high demand, which may cause temporary errors.",
        "overloaded",
        "backoff",
    ),
    (f"unexpected status 502 Bad Gateway: bad gw, {URL}", "overloaded", "backoff"),
    (f"unexpected status 401 Unauthorized: Incorrect API key provided, {URL}", "authentication", "human"),
    (f"unexpected status 403 Forbidden: forbidden, {URL}", "authentication", "human"),
    ("Missing environment variable: `MODEL_KEY`.", "authentication", "human"),
    (
        '{"error": {"type": "invalid_request_error", "message": "Invalid value for \'input\'"}}',
        "bad_request",
        "human",
    ),
    ('{"error": {"message": "Invalid input: a rate limit of 429 was quoted"}}', "bad_request", "human"),
    (f"unexpected status 413 Payload Too Large: too large, {URL}", "bad_request", "human"),
    ("The model `gpt-9` does not exist or you do not have access to it.", "missing_model", "human"),
    (
        '{"detail": "The \'gpt-9\' model is not supported when using Codex with a ChatGPT account."}',
        "missing_model",
        "human",
    ),
    (
        "Codex ran out of room in the model's context window. Start a new thread or clear earlier history "
        "before retrying.",
        "context_overflow",
        "fresh_session",
    ),
    ("Connection failed: error sending request", "network", "backoff"),
    ("stream disconnected before completion: stream closed before response.completed", "network", "backoff"),
    ("stream disconnected before completion: idle timeout waiting for SSE", "network", "backoff"),
    ("bad prompt", "unknown", "backoff"),
]

# What the CLI prints on stderr, and nothing on stdout, when it does not start.
REFUSALS = [
    "Not inside a trusted directory and --skip-git-repo-check was not specified.",
    'Error loading config.toml: invalid type: string "abc", expected i64\nin `some_limit`',
    "Error: Model provider `nope` not found\n\nStack backtrace:\n   0: <unknown>",
    "error: unexpected argument '--nope' found\n\nUsage: codex exec [OPTIONS] [PROMPT]",
]
NOISE = (
    "WARNING: proceeding, even though we could not create PATH aliases: Refusing to create helper binaries\n"
    "2026-03-25T01:02:03.698113Z ERROR codex_core::session: failed to record rollout items: no thread\n"
)


@pytest.mark.parametrize(("text", "name", "action"), FAILURES)
def test_failures_by_their_text(text: str, name: str, action: str) -> None:
    found = classify(text, 1, completed=False)
    assert (found.name, found.action, found.text) == (name, action, text)


@pytest.mark.parametrize("stderr", REFUSALS)
def test_a_refused_start_needs_a_human(stderr: str) -> None:
    text = start_up_error(NOISE + stderr)
    assert text == stderr.split("\n")[0]
    found = classify(text, 1, completed=False)
    assert (found.name, found.action) == ("bad_request", "human")


def test_diagnostics_are_no_refusal() -> None:
    assert start_up_error(NOISE) == ""


@pytest.mark.parametrize(
    ("code", "completed", "name"),
    [
        (0, True, "ok"),
        (0, False, "unknown"),
        (1, False, "interrupted"),  # SIGINT, as the CLI handles it
        (-2, False, "interrupted"),
        (-9, False, "interrupted"),
        (-15, True, "interrupted"),
        (143, False, "interrupted"),
        (None, False, "interrupted"),
        (2, False, "bad_request"),
        (3, False, "unknown"),
    ],
)
def test_endings_without_a_word_by_their_exit_code(code: int | None, completed: bool, name: str) -> None:
    assert classify("", code, completed).name == name


def test_a_stated_reason_counts_more_than_the_signal_that_followed() -> None:
    assert classify("Quota exceeded. Check your plan and billing details.", -15, completed=False).name == "quota"


def test_a_session_that_ended_well_goes_on_at_once() -> None:
    assert classify("", 0, completed=True) == ErrorClass("ok", "fresh_session")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Please try again in 1.5s.", 1.5),
        ("Please try again in 20ms. Visit the docs.", 0.02),
        ("Try again in 35 seconds.", 35.0),
        ("try again in 6m0s", 360.0),
        ("try again in 1h2m3s", 3723.0),
        ("try again in 2 hours 5 minutes", 7500.0),
        ("try again in 999h", 86_400.0),
        ("try again in 1.2.3s or so", 2.3),
        ("try again in a moment", None),
        ("try again at 4:51 PM", None),
        ("Try again later.", None),
        ("took 5s", None),
    ],
)
def test_the_wait_that_the_server_asks_for(text: str, seconds: float | None) -> None:
    assert retry_after(text) == (None if seconds is None else pytest.approx(seconds))


def test_only_a_rate_limit_has_a_wait() -> None:
    found = classify("rate limit exceeded: try again in 2s", 1, completed=False)
    assert (found.action, found.retry_after) == ("wait", 2.0)
    assert classify("Quota exceeded. Try again in 2s", 1, completed=False).retry_after is None


def test_the_text_is_bounded_and_clean() -> None:
    text = classify("\x1b[31mboom\n" + "z" * 10_000, 1, completed=False).text
    assert text.startswith("boom zzz")
    assert len(text) <= TEXT_LIMIT


NOON = 1_796_040_000.0  # 2026-11-30 12:00 UTC


@pytest.mark.parametrize(
    ("record", "text", "told"),
    [
        (Record(error="usage_limit_exceeded", resets_at=NOON + 90), "hit your limit", ("usage_limit", "wait", 92)),
        (Record(error="usage_limit_exceeded"), "try again at 1:30 PM.", ("usage_limit", "wait", 5402)),
        (
            Record(error="usage_limit_exceeded"),
            "or try again at Dec 2nd, 2026 1:21 AM",
            ("usage_limit", "wait", 134462),
        ),
        (Record(error="usage_limit_exceeded"), "try again at 3:27 AM.", ("usage_limit", "wait", 55622)),
        (Record(error="usage_limit_exceeded"), "no time told", ("usage_limit", "human", None)),
        (
            Record(error="usage_limit_exceeded", reached="workspace_owner_credits_depleted", resets_at=NOON + 9),
            "Your workspace is out of credits. Add credits to continue.",
            ("quota", "human", None),
        ),
        (Record(error="usage_limit_exceeded"), "You hit your spend cap.", ("quota", "human", None)),
        (Record(error="cyber_policy"), "no", ("denied", "human", None)),
        (Record(error="inference_hook_denied"), "no", ("denied", "human", None)),
        (Record(error="flex_unavailable"), "Flex capacity", ("overloaded", "backoff", None)),
        (Record(error="rate_limit_exceeded"), "try again in 1.5s", ("rate_limited", "wait", 1.5)),
        (Record(error="http_connection_failed", status=503), "x", ("overloaded", "backoff", None)),
        (Record(error="http_connection_failed", status=401), "x", ("authentication", "human", None)),
        (Record(error="http_connection_failed"), "x", ("network", "backoff", None)),
    ],
)
def test_the_kind_that_the_record_names_comes_first(record: Record, text: str, told: tuple[str, str, float | None]):
    found = by_record(record, text, NOON)
    assert found is not None
    assert (found.name, found.action, found.retry_after) == told


def test_a_kind_that_is_not_known_is_left_to_the_text():
    assert by_record(Record(error="other"), "at capacity", NOON) is None
    assert by_record(Record(), "", NOON) is None


def test_what_a_record_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CODEX_HOME", str(tmp_path))
    folder = tmp_path / "sessions" / "2026" / "11" / "30"
    folder.mkdir(parents=True)
    write(folder, "root", "root", [tokens(100, 10), limits(), ended("usage_limit_exceeded", NOON + 5)])
    write(folder, "child", "root", [tokens(50, 5), tokens(700, 70)])
    write(folder, "other", "other", [tokens(9, 9)])
    found = rollout.read("root", NOON)
    assert (found.usage, found.context, found.error) == (Usage(100, 0, 10, 0), 55, "usage_limit_exceeded")
    assert (found.resets_at, found.reached) == (NOON + 90, "")
    assert rollout.read("root", NOON + 60).error == ""  # an earlier session's of this thread
    assert rollout.with_helpers("root") == Usage(700, 0, 70, 0)
    assert rollout.read("none", NOON) == rollout.Record()


def write(folder: Path, name: str, session: str, events: list[dict[str, object]]) -> None:
    """Write a record as Codex does."""
    head = {"type": "session_meta", "payload": {"session_id": session, "id": name}}
    lines = [head, *({"type": "event_msg", "payload": event} for event in events)]
    path = folder / f"rollout-2026-11-30T12-00-00-{name}.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)) + "\ntorn {")
    os.utime(path, (NOON + 9, NOON + 9))


def tokens(into: int, out: int) -> dict[str, object]:
    """An event that counts tokens."""
    total = {"input_tokens": into, "cached_input_tokens": 0, "output_tokens": out, "reasoning_output_tokens": 0}
    info = {"total_token_usage": total, "last_token_usage": {"input_tokens": into // 2, "output_tokens": out // 2}}
    return {"type": "token_count", "info": info, "rate_limits": {"primary": None}}


def limits() -> dict[str, object]:
    """An event that tells a plan's windows, one of them used up."""
    full = {"used_percent": 100.0, "window_minutes": 300, "resets_at": NOON + 90}
    half = {"used_percent": 30.0, "window_minutes": 10080, "resets_at": NOON + 9999}
    return {"type": "token_count", "info": None, "rate_limits": {"primary": full, "secondary": half}}


def ended(kind: str, at: float) -> dict[str, object]:
    """The end of a turn that failed."""
    return {"type": "task_complete", "error": {"message": "m", "codex_error_info": kind}, "completed_at": at}
