"""What Codex asks a status line provider, and the answers: MCP over lines of JSON, as Codex CLI 0.171.0 speaks it.

The method is that of Codex's own skill `create-statusline`; a read has one second there. Nothing is kept between two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

URI = "ui://codex-autoresearch/footer"
_NAME = "run"
_STATE = "com.openai/codex-statusline-state"
_TOOL = {
    "name": _NAME,
    "title": "Autoresearch run",
    "description": "Show the state of the autoresearch run of this folder in the footer.",
    "inputSchema": {"type": "object", "properties": {}},
    "_meta": {"openai/ui": {"entrypoints": [{"type": "statusline", "resourceUri": URI}]}},
}
_SERVER = {"name": "codex-autoresearch", "version": "1"}

Line = Callable[[str], str]  # the footer's text of a folder, "" for nothing to show


def reply(request: object, line: Line) -> dict[str, Any] | None:
    """The answer to one request, None to a notification; `line` gives the text of a folder."""
    if not isinstance(request, dict) or not isinstance(request.get("method"), str):
        return _failed(None, -32600, "Invalid request")
    if "id" not in request:
        return None
    params = request.get("params")
    try:
        result = _result(request["method"], params if isinstance(params, dict) else {}, line)
    except KeyError:
        return _failed(request["id"], -32601, "Method not found")
    except ValueError as error:
        return _failed(request["id"], -32602, str(error))
    return {"jsonrpc": "2.0", "id": request["id"], "result": result}


def unreadable() -> dict[str, Any]:
    """The answer to a line that is no JSON."""
    return _failed(None, -32700, "Parse error")


def _failed(number: object, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}


def _result(method: str, params: Mapping[str, Any], line: Line) -> dict[str, Any]:
    fixed: dict[str, dict[str, Any]] = {
        "initialize": {
            "protocolVersion": "2025-06-18", "capabilities": {"tools": {}, "resources": {}}, "serverInfo": _SERVER,
        },
        "ping": {},
        "tools/list": {"tools": [_TOOL]},
        "tools/call": {"content": [{"type": "text", "text": f"The status line is at {URI}."}]},
        "resources/list": {"resources": [{"name": "footer", "uri": URI, "mimeType": "application/json"}]},
        "resources/templates/list": {"resourceTemplates": []},
    }  # fmt: skip
    if method != "resources/read":
        return fixed[method]
    if params.get("uri") != URI:
        raise ValueError("Unknown resource")
    return {"contents": [{"uri": URI, "mimeType": "application/json", "text": _tree(line(_folder(params)))}]}


def _folder(params: Mapping[str, Any]) -> str:
    """The folder of the conversation that is shown."""
    found: Any = params
    for key in ("_meta", _STATE, "thread", "workspace", "cwd"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def _tree(text: str) -> str:
    import json

    return json.dumps({"type": "text", "children": [text]} if text else None, ensure_ascii=False)
