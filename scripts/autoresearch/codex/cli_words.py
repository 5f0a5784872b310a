"""What the CLI says of itself when it is asked: its version, whether it takes its settings, whether it is signed in."""

from __future__ import annotations

import json
import os
import re

from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from ..kernel.core.text import one_line
from ..kernel.system import ask
from . import codex_agent

_SECONDS = 20.0
_LINE = re.compile(r"^Error\b[^:\n]*: ?(.*)", re.MULTILINE)


@dataclass(frozen=True)
class Words:
    """Its version, why it does not start with these settings ("" where it does), the same once the project is trusted,
    whether it is signed in, and whether it runs at all."""

    version: tuple[int, ...] = ()
    problem: str = ""
    if_trusted: str = ""
    signed_in: bool = False
    broken: bool = False  # it cannot be started, or fails at once


def program() -> str:
    """The CLI, "" where there is none."""
    try:
        return codex_agent.find(os.environ.get(codex_agent.HANDED_ON, ""))
    except Refusal:
        return ""


def ask_cli(path: str, folder: str) -> Words:
    """Ask the program in a folder, whose own settings count too where it is trusted; all questions at once."""
    trust = f'projects={{{json.dumps(folder, ensure_ascii=False)}={{trust_level="trusted"}}}}'
    asked = {"version": ("--version",), "settings": ("features", "list"), "login": ("login", "status")}
    if os.path.exists(os.path.join(folder, ".codex", "config.toml")):
        asked["trusted"] = ("-c", trust, "features", "list")
    told = ask.exits({name: (path, *words) for name, words in asked.items()}, _SECONDS, folder)
    number = re.search(r"\d+(?:\.\d+)+", told["version"][1]) if told.get("version", (1, ""))[0] == 0 else None
    return Words(
        version=tuple(map(int, number[0].split("."))) if number else (),
        problem=_problem(*told.get("settings", (0, ""))),
        if_trusted=_problem(*told.get("trusted", (0, ""))),
        signed_in=told.get("login", (1, ""))[0] == 0,
        broken=told.get("version", (1, ""))[0] > 0,
    )


def _problem(code: int, said: str) -> str:
    """The error among other lines, with its cause and without a trace of calls; "" for one that is no error's."""
    found = _LINE.search(said)
    if code <= 0 or not found:
        return ""
    rest = said[found.end() :].partition("Stack backtrace")[0].replace("Caused by:", "")
    first = re.sub(r"\s+", " ", rest).strip()
    return one_line(found[1] if not first or first.split(" in ")[0] in found[1] else f"{found[1]}: {first}", 300)
