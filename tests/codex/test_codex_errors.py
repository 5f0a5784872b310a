from __future__ import annotations

import pytest
from autoresearch.background.agent import ErrorClass
from autoresearch.codex.codex_errors import TEXT_LIMIT, classify, retry_after, start_up_error

URL = "url: http://127.0.0.1:42963/v1/responses"

# `turn.failed` as codex-cli 0.169.0 words it.
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
        "human",
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
