"""What goes over the wire between the Codex CLI and the scripted model: requests, answers, faults."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Json = dict[str, Any]

LONGEST_FIRST_WAIT_MS = 30_000  # the CLI's own upper limit for `exec_command`
LONGEST_POLL_MS = 300_000  # and for `write_stdin`


@dataclass(frozen=True)
class Usage:
    """Token counts that one answer reports; the CLI sums them and compacts by them."""

    input: int = 100
    cached: int = 40
    output: int = 10
    reasoning: int = 4

    def as_json(self) -> Json:
        """Return the `usage` object of a `response.completed` event."""
        return {
            "input_tokens": self.input,
            "input_tokens_details": {"cached_tokens": self.cached},
            "output_tokens": self.output,
            "output_tokens_details": {"reasoning_tokens": self.reasoning},
            "total_tokens": self.input + self.output,
        }


@dataclass(frozen=True)
class Reply:
    """One HTTP answer: a JSON error when `status` is not 200, else a stream of events.

    `silent_s` keeps the connection open without a byte after the events are sent.
    """

    events: tuple[Json, ...] = ()
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    error: Json | None = None
    silent_s: float = 0.0


@dataclass(frozen=True)
class Request:
    """What the CLI sent: `body` as JSON and the turn metadata from its header."""

    body: Json
    metadata: Mapping[str, Any]
    number: int
    remembered: Json | None = field(default=None, repr=False)

    @property
    def thread_id(self) -> str:
        """The thread's id, `""` when the header is missing."""
        return str(self.metadata.get("thread_id", ""))

    @property
    def kind(self) -> str:
        """`turn` or `compaction`."""
        return str(self.metadata.get("request_kind", "turn"))

    @property
    def user_texts(self) -> list[str]:
        """All texts of user messages in the history, oldest first."""
        return [
            part.get("text", "")
            for item in self.body.get("input", [])
            if item.get("type") == "message" and item.get("role") == "user"
            for part in item.get("content", [])
        ]

    @property
    def code_mode(self) -> bool:
        """Whether the CLI offers its tools within programs alone, as it does to newer models."""
        return not self.body.get("tools") and any(i.get("type") == "additional_tools" for i in self.body["input"])

    @property
    def last_item(self) -> Json | None:
        """The newest tool result: of this history, or of the one that was compacted just before."""
        outputs = [i for i in self.body.get("input", []) if str(i.get("type")).endswith("call_output")]
        return outputs[-1] if outputs else self.remembered

    @property
    def last_output(self) -> str:
        """The text of the newest tool result, with the CLI's own header lines; a program's is what it told."""
        output = "" if self.last_item is None else self.last_item.get("output", "")
        told = [str(part.get("text", "")) for part in output[1:]] if isinstance(output, list) else [str(output)]
        return "".join(told)


USAGE = Usage()
_ids = itertools.count(1)


def answer(*items: Json, usage: Usage = USAGE) -> Reply:
    """Return a complete stream with these output items."""
    name = f"resp_{next(_ids)}"
    done = [{"type": "response.output_item.done", "item": item} for item in items]
    completed = {"type": "response.completed", "response": {"id": name, "usage": usage.as_json()}}
    return Reply(events=(_created(name), *done, completed))


def say(text: str, usage: Usage = USAGE) -> Reply:
    """Return a final message, which ends the turn."""
    content = [{"type": "output_text", "text": text}]
    return answer({"type": "message", "role": "assistant", "content": content}, usage=usage)


def shell(command: str, usage: Usage = USAGE, wait_ms: int = LONGEST_FIRST_WAIT_MS) -> Reply:
    """Return a call of the shell tool; it answers after `wait_ms` at the latest, done or not."""
    return _call("exec_command", {"cmd": command, "yield_time_ms": wait_ms}, usage)


def poll(session: int, usage: Usage = USAGE, wait_ms: int = LONGEST_POLL_MS) -> Reply:
    """Return a call that waits for a shell command that was still running, for `wait_ms` at most."""
    return _call("write_stdin", {"session_id": session, "chars": "", "yield_time_ms": wait_ms}, usage)


def helper(message: str, name: str = "help") -> Reply:
    """Return a call that starts a sub-agent with a history of its own; only newer models have the tool."""
    return _call("spawn_agent", {"task_name": name, "message": message, "fork_turns": "none"}, USAGE, "collaboration")


def await_helper() -> Reply:
    """Return a call that waits for word from a sub-agent."""
    return _call("wait_agent", {"timeout_ms": 60_000}, USAGE, "collaboration")


# A program that makes one call and tells what came of it as the shell tool alone would tell it.
_PROGRAM = """// @exec: {"yield_time_ms": 300000}
const r = await tools.NAME(ARGUMENTS);
const lives = r.session_id == null ? `exited with code ${r.exit_code}` : `running with session ID ${r.session_id}`;
text(r.output == null ? JSON.stringify(r) : `Process ${lives}\nOutput:\n${r.output}`);"""


def within_a_program(reply: Reply) -> Reply:
    """Return the reply with its tool calls as programs; those of a namespace stay, for they are no part of one."""
    return replace(reply, events=tuple(_program(event) for event in reply.events))


def _program(event: Json) -> Json:
    call = event.get("item", {})
    if call.get("type") != "function_call" or "namespace" in call:
        return event
    text = _PROGRAM.replace("NAME", call["name"]).replace("ARGUMENTS", call["arguments"])
    return {**event, "item": {"type": "custom_tool_call", "name": "exec", "input": text, "call_id": call["call_id"]}}


def create_goal(objective: str) -> Reply:
    """Return a call that sets the goal of the thread."""
    return _call("create_goal", {"objective": objective}, USAGE)


def complete_goal() -> Reply:
    """Return a call that says that the goal of the thread is reached."""
    return _call("update_goal", {"status": "complete"}, USAGE)


def _call(name: str, arguments: Json, usage: Usage, namespace: str = "") -> Reply:
    call = {
        "type": "function_call",
        "name": name,
        "arguments": json.dumps(arguments),
        "call_id": f"call_{next(_ids)}",
        **({"namespace": namespace} if namespace else {}),
    }
    return answer(call, usage=usage)


def _created(name: str) -> Json:
    return {"type": "response.created", "response": {"id": name}}


def http_error(status: int, error: Json, headers: Sequence[tuple[str, str]] = ()) -> Reply:
    """Return an HTTP error whose body is `{"error": error}`."""
    return Reply(status=status, error={"error": error}, headers=tuple(headers))


def rate_limited(retry_after: int | None = None) -> Reply:
    """Return 429, with the seconds to wait in a header when given."""
    headers = [] if retry_after is None else [("retry-after", str(retry_after))]
    return http_error(429, {"type": "rate_limit_exceeded", "message": "Rate limit reached"}, headers)


def usage_limit(resets_at: int | None = None) -> Reply:
    """Return the 429 of a plan whose allowance is used up, until `resets_at` (epoch) when given."""
    told = {"used-percent": 100, "window-minutes": 300, "reset-at": resets_at}
    headers = [(f"x-codex-primary-{name}", str(value)) for name, value in told.items()] if resets_at else []
    return http_error(429, {"type": "usage_limit_reached", "message": "The usage limit has been reached"}, headers)


def out_of_credits() -> Reply:
    """Return the 429 of a workspace without credit."""
    headers = [("x-codex-rate-limit-reached-type", "workspace_owner_credits_depleted")]
    return http_error(429, {"type": "usage_limit_reached", "message": "limit"}, headers)


def quota() -> Reply:
    """Return the 429 of an account without credit."""
    return http_error(429, {"type": "insufficient_quota", "message": "no quota"})


def overloaded() -> Reply:
    """Return the 503 of a model without capacity."""
    return http_error(503, {"code": "server_is_overloaded", "message": "overloaded"})


def server_error() -> Reply:
    """Return a plain 500."""
    return http_error(500, {"message": "internal error"})


def unauthorized() -> Reply:
    """Return 401 for a key that is not known."""
    return http_error(401, {"code": "invalid_api_key", "message": "Incorrect API key provided"})


def bad_request(message: str = "Invalid value for 'input'") -> Reply:
    """Return 400; the CLI shows the body."""
    return http_error(400, {"type": "invalid_request_error", "message": message})


def missing_model(model: str = "gpt-5.5") -> Reply:
    """Return the 404 for a model that the account does not have."""
    message = f"The model `{model}` does not exist or you do not have access to it."
    return http_error(404, {"code": "model_not_found", "message": message})


def failed(code: str, message: str) -> Reply:
    """Return a stream that ends in `response.failed`."""
    name = f"resp_{next(_ids)}"
    response = {"id": name, "status": "failed", "error": {"code": code, "message": message}}
    return Reply(events=(_created(name), {"type": "response.failed", "response": response}))


def context_overflow() -> Reply:
    """Return the failure of a history longer than the model's window."""
    return failed("context_length_exceeded", "Your input exceeds the context window of this model.")


def dropped() -> Reply:
    """Return a stream that is cut after its first event."""
    return Reply(events=(_created("resp_cut"),))


def silent(seconds: float) -> Reply:
    """Return a stream that says nothing more for `seconds` after its first event."""
    return Reply(events=(_created("resp_silent"),), silent_s=seconds)
