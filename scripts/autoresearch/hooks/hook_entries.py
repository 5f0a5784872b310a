"""Codex hooks as text: our entries in a hooks file that others use too, and the trust that Codex notes. Pure.

Formats as read and written by Codex CLI 0.171.0.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Mapping, Sequence

from ..kernel.core.errors import Refusal

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

OURS = re.compile(r"autoresearch_hooks_ctl\.py['\"]? run --event \w+")
# Event, as `run --event` names it: what Codex calls it, seconds it may take, and when it fires. At a stop a trial is
# run that waits; it may last longer, for a hook whose time is up hands it to the next (`taking_hook`).
EVENTS: Mapping[str, tuple[str, int, str]] = {
    "stop": ("Stop", 86_400, ""),
    "session_start": ("SessionStart", 20, ""),
    "interrupt": ("Interrupt", 3, ""),
}
TRUSTED, CHANGED, UNTRUSTED, OFF, ABSENT = "trusted", "changed", "untrusted", "switched off", "not installed"
_DEFAULT_TIMEOUT = 600
_EMPTY: dict[str, Any] = {"hooks": []}


def group(event: str, python: str, script: str) -> dict[str, Any]:
    """Our matcher group for one event; the interpreter by its full path, because a hook's PATH is not ours."""
    _, seconds, matcher = EVENTS[event]
    # Exit code 2 means "go on" to Codex, and Python gives it for a script that is gone: without end, then.
    guarded = f"[ ! -f {shlex.quote(script)} ] || {shlex.quote(python)} {shlex.quote(script)} run --event {event}"
    hook = {"type": "command", "command": f"{guarded} || exit 1", "timeout": seconds}
    return {**({"matcher": matcher} if matcher else {}), "hooks": [hook]}


def merged(document: Mapping[str, Any], python: str, script: str) -> dict[str, Any]:
    """The document with our groups: each in its old place, else last, so that the keys of others stay valid."""
    lists = _lists(document)
    for event, (name, _, _) in EVENTS.items():
        found = lists.get(name, [])
        mine = [index for index, item in enumerate(found) if not _others(item)]
        place = mine[0] if mine else len(found)
        others = [_others(item) or _EMPTY for item in found]
        lists[name] = [*others[:place], group(event, python, script), *others[place + 1 :]]
    return {**document, "hooks": lists}


def without(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without our hooks; one before another's leaves an empty group, for trust goes by position."""
    lists = {}
    for name, groups in _lists(document).items():
        kept = [_others(found) or _EMPTY for found in groups]
        while kept and kept[-1] == _EMPTY and kept != groups:
            kept.pop()
        if kept or not groups:
            lists[name] = kept
    rest = {key: value for key, value in document.items() if key != "hooks"}
    return {**rest, "hooks": lists} if lists else rest


def _lists(document: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The groups by event; raises `Refusal` for a document that Codex would not read either."""
    found = document.get("hooks", {})
    if not isinstance(found, dict) or not all(isinstance(groups, list) for groups in found.values()):
        raise Refusal("the hooks file does not map events to lists, expected what Codex reads; correct it first")
    return dict(found)


def _others(item: Any) -> Any:
    """A group without our hooks: itself when it holds none, None when it holds nothing else."""
    hooks = item.get("hooks") if isinstance(item, dict) else None
    if not isinstance(hooks, list) or not any(map(_is_ours, hooks)):
        return item
    rest = [hook for hook in hooks if not _is_ours(hook)]
    return {**item, "hooks": rest} if rest else None


def _is_ours(hook: object) -> bool:
    return isinstance(hook, dict) and OURS.search(str(hook.get("command", ""))) is not None


def trust(document: Mapping[str, Any], path: str, states: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """For each of our events whether Codex runs it: `trusted`, `changed` since, `untrusted`, `switched off`, `not
    installed`.

    `path` is the hooks file's, `states` what Codex notes of each hook by its key.
    """
    lists = _lists(document)
    return {name: _verdict(event, lists.get(name, ()), path, states) for event, (name, _, _) in EVENTS.items()}


def _verdict(event: str, groups: Sequence[Any], path: str, states: Mapping[str, Mapping[str, Any]]) -> str:
    for index, found in enumerate(groups):
        if not _others(found):
            state = states.get(f"{path}:{event}:{index}:0", {})
            if state.get("enabled") is False:
                return OFF
            noted = state.get("trusted_hash", "")
            return UNTRUSTED if not noted else TRUSTED if noted == fingerprint(event, found) else CHANGED
    return ABSENT


def commands(document: Mapping[str, Any]) -> list[str]:
    """The command of each of our hooks."""
    groups = [item for found in _lists(document).values() for item in found if isinstance(item, dict)]
    hooks = [hook for item in groups for hook in item.get("hooks") or () if _is_ours(hook)]
    return [str(hook["command"]) for hook in hooks]


def seconds(document: Mapping[str, Any]) -> float:
    """How long our Stop hook may run, 0 where the document has none; raises `Refusal` as `trust` does."""
    groups = [item for item in _lists(document).get(EVENTS["stop"][0], []) if isinstance(item, dict)]
    mine = [hook for item in groups for hook in item.get("hooks") or () if _is_ours(hook)]
    limits = [hook.get("timeout", _DEFAULT_TIMEOUT) for hook in mine]
    return min((float(limit) for limit in limits if isinstance(limit, (int, float)) and limit > 0), default=0.0)


def fingerprint(event: str, found: Mapping[str, Any]) -> str:
    """The hash that Codex asks the user to trust: of the group with one hook, defaults written out, keys sorted."""
    hook = found["hooks"][0]
    full = {"async": False, "timeout": _DEFAULT_TIMEOUT, **hook}
    identity = {"event_name": event, "hooks": [full]}
    if found.get("matcher") is not None:
        identity["matcher"] = found["matcher"]
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
