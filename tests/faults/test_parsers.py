"""Whatever a file or a stream holds, each parser answers or declines in its own way; `TRIES` is how many times."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import Any, Callable

import pytest
from autoresearch.background import manifest, plain_agent, runtime
from autoresearch.background.agent import SessionOutput
from autoresearch.codex import codex_events, toml_text
from autoresearch.hooks import hook_entries
from autoresearch.kernel.core import config, jsontext, scope, stop_rules
from autoresearch.kernel.core.errors import Refusal
from autoresearch.kernel.disk import journal, snapshot
from autoresearch.longlog import marked
from autoresearch.reading import printed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

DECLINED = (Refusal, ValueError)  # what each caller expects, and turns into one line
TRIES = int(os.environ.get("TRIES", "15"))

HEADER = "iteration\tcommit\tmetric\tdelta\tguard\tstatus\tdescription\n"
LINES = (
    HEADER,
    "0\tabc1234\t10\t0\t-\tbaseline\tx\n",
    "1\tabc1234\t9\t-1\tpass\tkeep\t[labels: a,b] y\n",
    "1a\t-\t9\t-1\t-\tdiscard\tw\n",
    '# event: {"kind": "heads", "iteration": 1, "heads": {"/r": "abc"}}\n',
    '# event: {"kind": "batch", "iteration": 1}\n',
    "# metric_direction: lower\n",
    '# config_json: {"goal": "x", "repos": [{"path": 5}]}\n',
)
FRAGMENTS = (
    *LINES,
    "METRIC cost=1e5\n",
    '{"type": "item.completed", "item": {"type": "command_execution", "command": 5}}\n',
    '{"type": "turn.completed", "usage": {"input_tokens": "x"}}\n',
    '{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "x"}]}]}}',
    '{"version": 1, "config": {}, "baseline": {}, "controller": {}}',
    '[projects."/x"]\ntrust_level = "trusted"\n',
    "metric <= 5 for 3 and keeps >= 2",
    "src/** !src/a [x]{a,b} ../y",
    "\ufeff",
    "\0",
    "\r\n",
    "1" * 400,
    "NaN",
    "9e999999999",
    "1e9999999",
    "[" * 3000,
    "\u202e\ud800",
)
NAMES = ("config", "state", "iteration", "hooks", "Stop", "metric", "path", "repos", "version", "usage", "type", "item")
TEXT = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=20)), max_size=8).map("".join)
SCALAR = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXT)
KEYS = st.one_of(st.sampled_from(NAMES), st.text(max_size=5))
JSON = st.recursive(
    SCALAR, lambda x: st.one_of(st.lists(x, max_size=4), st.dictionaries(KEYS, x, max_size=5)), max_leaves=8
)
DEEP = st.dictionaries(KEYS, JSON, max_size=6)


def log(text: str) -> None:
    """Parse a log and its header."""
    parsed = journal.parse(text.encode("utf-8", "surrogatepass"))
    if parsed.rows:
        assert parsed.state.iteration >= 0
    config.from_header(parsed.header)


def numbers(text: str) -> None:
    """Read a metric in several ways."""
    for key, pattern in (("", ""), ("a.b", ""), ("[", ""), ("", r"(\d+)"), ("", "(?:a|b)*c(.)")):
        printed.extract(text, printed.Source("cost", key, pattern))


def events(text: str) -> None:
    """Read a stream of events, of Codex and of a plain agent."""
    seen = SessionOutput()
    for line in text.encode("utf-8", "surrogatepass").splitlines():
        seen = codex_events.after_line(seen, line)
        plain_agent.read(SessionOutput(), line)
    assert seen is not None


def marked_log(text: str) -> None:
    """The same log from a mark on, which says the same."""
    data = text.encode("utf-8", "surrogatepass")
    found = marked.parse(data, {"bytes": len(data), "rows": 1, "fold": {}, "sha256": ""})
    whole = journal.parse(data)
    assert (found.count, found.size, found.header) == (whole.count, whole.size, whole.header)


TEXTS: dict[str, Callable[[str], Any]] = {
    "log": log,
    "marked log": marked_log,
    "metric": numbers,
    "stop": lambda text: stop_rules.parse(text, "lower").holds(Decimal(5)),
    "scope": lambda text: scope.matcher(text)("src/value"),
    "events": events,
    "toml": toml_text.parse,
    "json": jsontext.loads,
}
# Mostly sound objects, in which some fields are of any kind.
SOUND: dict[str, dict[str, Any]] = {
    "manifest": manifest.Manifest(config=config.from_dict({})).to_dict(),
    "runtime": {"version": 1, "status": "running", "spent": {}, "session": {}, "pid": 4},
    "snapshot": {"version": 1, "mode": "loop", "run_tag": "x", "config": {}, "state": {"iteration": 1}},
    "hooks": {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "x", "timeout": 5}]}]}},
    "line": {"type": "item.completed", "item": {"type": "agent_message", "text": "x"}},
    "config": config.from_dict({}).to_dict(),
}
OBJECTS: dict[str, Callable[[Any], Any]] = {
    "manifest": manifest.from_dict,
    "runtime": runtime.from_dict,
    "config": config.from_dict,
    "snapshot": lambda data: snapshot.relation(data, journal.parse("".join(LINES[:3]).encode())),
    "hooks": lambda data: (hook_entries.merged(data, "python3", "x.py"), hook_entries.without(data)),
    "line": lambda data: codex_events.parse_line(jsontext.dumps(data)),
}


def objects(name: str) -> st.SearchStrategy[Any]:
    """Sound objects with some fields of any kind, and objects of any kind."""
    sound = SOUND[name]
    fields = st.dictionaries(st.sampled_from(sorted(sound)), JSON, max_size=2).map(lambda new: {**sound, **new})
    return st.one_of(fields, DEEP)


@pytest.mark.parametrize("parser", TEXTS.values(), ids=list(TEXTS))
def test_any_text_is_read_or_declined(parser: Callable[[str], Any]):
    @settings(max_examples=TRIES, suppress_health_check=list(HealthCheck), deadline=None)
    @given(TEXT)
    def run(text: str) -> None:
        try:
            parser(text)
        except DECLINED:
            pass

    run()


@pytest.mark.parametrize("name", OBJECTS)
def test_any_object_is_read_or_declined(name: str):
    parser = OBJECTS[name]

    @settings(max_examples=TRIES, suppress_health_check=list(HealthCheck), deadline=None)
    @given(objects(name))
    def run(data: Any) -> None:
        try:
            parser(data)
        except DECLINED:
            pass

    run()
