"""The log of a new run: its comment lines, then the baseline's row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..kernel.core import jsontext, rows
from ..kernel.core.rows import Row
from ..kernel.core.settings import SETTINGS, Config
from ..kernel.core.text import one_line
from ..kernel.disk import atomic
from ..kernel.disk.journal import EVENT, Event, Log, parse


def header(config: Config, mode: str, run_tag: str, environment: str) -> dict[str, str]:
    """The comment lines of a new log, in the order of docs/artifacts.md, The log; empty ones are left out."""
    repos = [repo.to_dict() for repo in config.repos]
    lines = {"metric_direction": config.direction, "mode": mode, "run_tag": run_tag, "parallel": config.parallel_mode}
    for row in SETTINGS:
        if row.name == "repos":
            lines["repos_json"] = jsontext.dumps(repos) if repos else ""
        elif "header" in row.more:
            value = getattr(config, row.name)
            lines[row.more["header"]] = ", ".join(value) if row.is_list else str(value or "")
    lines["environment"] = environment
    # The lines above are for people and other tools; this one is exact (a check may hold tabs or line breaks).
    lines["config_json"] = jsontext.dumps(config.to_dict())
    return {key: value for key, value in lines.items() if value}


def create(path: Path, header: Mapping[str, str], events: Sequence[Event], first: Row) -> Log:
    """Write a new log with its baseline row, whole or not at all."""
    # JSON is one clean line already and must stay exact; what is for people is bounded.
    exact = {key: value if key.endswith("_json") else one_line(value, 20_000) for key, value in header.items()}
    lines = [f"# {key}: {value}" for key, value in exact.items()] + [rows.HEADER]
    lines += [EVENT + jsontext.dumps(event) for event in events] + [rows.format_row(first)]
    text = "\n".join(lines) + "\n"
    atomic.replace(path, text)
    return parse(text.encode())
