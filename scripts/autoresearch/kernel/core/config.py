"""Reading, checking and writing the configuration of a run; its rows are in `settings`."""

from __future__ import annotations

from collections.abc import Mapping

from . import jsontext, numbers
from .choices import POLICY
from .errors import Refusal
from .frozen import Any, replace
from .settings import NAMES, SETTINGS, Config, RepoScope

BLANK = Config()
_MEASURED = NAMES[NAMES.index("measured") :]
ROWS = {row.name: row for row in SETTINGS}
# What may change in the snapshot after the start; everything else is held by the log's header.
MUTABLE = ("session_mode", "execution_policy")


def to_dict(config: Config) -> dict[str, Any]:
    """The `config` object; see `Config.to_dict`."""
    out: dict[str, Any] = {
        name: _plain(getattr(config, name)) for name in NAMES if name not in _MEASURED and name != "execution_policy"
    }
    if config.execution_policy:
        out["execution_policy"] = config.execution_policy
    wanted = (name for name in _MEASURED if config.measured or getattr(config, name) != getattr(BLANK, name))
    out.update({name: _plain(getattr(config, name)) for name in wanted})
    return {**out, **config.extra}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [item.to_dict() if isinstance(item, RepoScope) else item for item in value]
    return None if value == "" else value


def from_dict(data: Mapping[str, Any]) -> Config:
    """Read a `config` object, one written by someone else included; raises `Refusal` for unusable values."""
    values: dict[str, Any] = {}
    for name in NAMES:
        if data.get(name) is not None:
            values[name] = _value(name, data[name])
    values["extra"] = {key: value for key, value in data.items() if key not in NAMES}
    return Config(**values)


def _value(name: str, value: Any) -> Any:
    row = ROWS[name]
    try:
        if name == "repos":
            return tuple(
                RepoScope(str(r["path"]), str(r.get("scope") or ""), str(r.get("role", "primary"))) for r in value
            )
        if row.is_list:
            items = [value] if isinstance(value, str) else value
            if row.more.get("labels"):
                parts = (part.strip().lower() for item in items for part in str(item).split(","))
                return tuple(dict.fromkeys(part for part in parts if part))
            return tuple(str(item) for item in items)
        if row.kind.startswith("Decimal"):
            return numbers.parse(str(value), row.flag)
        if row.kind.startswith("int"):
            return int(value)
    except (TypeError, ValueError, KeyError, AttributeError):
        raise Refusal(f"config {name} is {str(value)[:40]!r}, which is not usable; correct it or start fresh") from None
    return str(value) if row.kind == "str" else value


def with_policy(config: Config, mode: str) -> Config:
    """The configuration with an execution policy where nested sessions run, and nowhere else."""
    nested = config.session_mode == "background" or mode == "exec"
    return replace(config, execution_policy=(config.execution_policy or POLICY) if nested else "")


def from_header(head: Mapping[str, str]) -> Config:
    """The configuration that a log's comment lines tell; raises `Refusal` when they are unusable."""
    if "config_json" in head:
        return from_dict(_object(head["config_json"]))
    data: dict[str, Any] = {row.name: head[row.name] for row in SETTINGS if "header" in row.more and head.get(row.name)}
    data["direction"] = head.get("metric_direction", "lower")
    data["parallel_mode"] = head.get("parallel", "serial")
    if head.get("repos_json"):
        data["repos"] = _object('{"repos": ' + head["repos_json"] + "}")["repos"]
    return from_dict(data)


def _object(text: str) -> dict[str, Any]:
    try:
        value = jsontext.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Refusal("the log's header holds unreadable JSON; restore the file or start fresh with --force")
    return value


def merge(head: Config, snapshot: Config | None, authoritative: bool) -> Config:
    """The configuration in force. Our own logs hold it; for a foreign log the snapshot knows more, yet not all:
    what it leaves out the header may tell, and the direction is the one by which the log is folded."""
    if snapshot is None:
        return head
    if not authoritative:
        told = {name: getattr(head, name) for name in NAMES if getattr(snapshot, name) == getattr(BLANK, name)}
        return replace(snapshot, **{**told, "direction": head.direction})
    mutable = {name: getattr(snapshot, name) for name in MUTABLE}
    return replace(head, extra={**head.extra, **snapshot.extra}, **mutable)
