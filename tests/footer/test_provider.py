"""The status line provider by its protocol: what is asked, what is answered, and that nothing ends it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from autoresearch.footer import provider

from tests.conftest import Ran
from tests.lab import Lab


def asked(run_script: Callable[..., Ran], *requests: Any) -> list[Any]:
    """The answers to some requests, each a line; a text is sent as it is."""
    lines = "".join((item if isinstance(item, str) else json.dumps(item)) + "\n" for item in requests)
    ran = run_script("statusline", input=lines)
    assert (ran.code, ran.err) == (0, "")
    return [json.loads(line) for line in ran.out.splitlines()]


def read(folder: object, uri: str = provider.URI) -> dict[str, Any]:
    """The request for the footer of a conversation in a folder."""
    state = {"com.openai/codex-statusline-state": {"thread": {"workspace": {"cwd": folder}}}}
    return {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": uri, "_meta": state}}


def shown(answer: Any) -> Any:
    """The footer's text, None for an empty one."""
    (content,) = answer["result"]["contents"]
    tree = json.loads(content["text"])
    return tree["children"][0] if tree else None


def test_the_run_of_the_folder_is_shown(lab: Lab):
    before, *_ = asked(lab.run_script, read(str(lab.path)))
    lab.init()
    lab.trial(8)
    (lab.path / "deep").mkdir()
    answers = asked(lab.run_script, read(str(lab.path)), read(str(lab.path / "deep")))
    assert shown(before) is None
    told = "autoresearch foreground · cost 10 → 8 (−20.0 %) · iteration 1"
    assert [shown(answer) for answer in answers] == [told, told]


def test_what_is_no_run_is_an_empty_footer_and_nothing_ends_it(lab: Lab):
    (lab.path / "research-results.tsv").write_text("torn")
    places = (str(lab.path), "/no/such/folder", "relative", None, 7)
    answers = asked(
        lab.run_script, *map(read, places), "no json", 5, {"id": 1, "method": "no/such"}, read("/", "ui://x")
    )
    assert [shown(answer) for answer in answers[:5]] == [None] * 5
    assert [answer["error"]["code"] for answer in answers[5:]] == [-32700, -32600, -32601, -32602]


def test_it_says_what_codex_looks_for(run_script: Callable[..., Ran]):
    hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}}
    note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    first, tools = asked(run_script, hello, note, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    assert first["result"]["capabilities"] == {"tools": {}, "resources": {}}
    (tool,) = tools["result"]["tools"]
    assert tool["_meta"]["openai/ui"]["entrypoints"] == [{"type": "statusline", "resourceUri": provider.URI}]
