"""What lies on disk for Codex: its settings, its sign-in, hooks, and every skill that a repository can see."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..kernel.core import jsontext
from . import skill_file, toml_text
from .skill_file import Skill

_DEPTH = 6  # folders below a root in which Codex looks
_MACHINE = Path("/etc/codex/skills")


def home() -> Path:
    """$CODEX_HOME, `~/.codex` unless set."""
    return Path(os.environ.get("CODEX_HOME") or Path(os.path.expanduser("~")) / ".codex")


def settings() -> tuple[Mapping[str, Any], str]:
    """config.toml as tables (empty when there is none), and why it cannot be read."""
    path = home() / "config.toml"
    try:
        return toml_text.parse(path.read_text("utf-8")), ""
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError) as error:
        return {}, str(error)


def has_login() -> bool:
    """Whether a sign-in is kept here; its content is nobody's business."""
    return (home() / "auth.json").is_file()


def skills(root: Path, is_git: bool) -> tuple[Skill, ...]:
    """Every skill that Codex sees from `root`, those that it cannot load included; links to one folder count once."""
    user = Path(os.path.expanduser("~"))
    roots = [root / ".agents" / "skills", user / ".agents" / "skills", home() / "skills", _MACHINE]
    if is_git:
        roots.insert(1, root / ".codex" / "skills")
    found: dict[str, Skill] = {}
    for path in (path for folder in roots for path in _files(folder, _DEPTH)):
        try:
            found.setdefault(os.path.realpath(path.parent), skill_file.read(str(path.parent), path.read_bytes()))
        except OSError:
            continue
    return tuple(found.values())


def _files(folder: Path, depth: int) -> Iterator[Path]:
    """The SKILL.md files at and below `folder`: dotted names are passed over, linked folders followed."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name == "SKILL.md" and entry.is_file(follow_symlinks=False):
            yield Path(entry.path)
        elif depth and not entry.name.startswith(".") and entry.is_dir():
            yield from _files(Path(entry.path), depth - 1)


def hooks(path: Path) -> tuple[list[tuple[str, str]], str]:
    """Trust key and command of every hook that the file at `path` names, and why it cannot be read."""
    try:
        data = jsontext.loads(path.read_text("utf-8"))
        return list(_hooks(path, data["hooks"])), ""
    except FileNotFoundError:
        return [], ""
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return [], f"{type(error).__name__}: {error}"


def _hooks(path: Path, events: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    import re

    for event, groups in events.items():
        snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", event).lower()
        for group, entry in enumerate(groups):
            for number, hook in enumerate(entry["hooks"]):
                yield f"{path}:{snake}:{group}:{number}", str(hook.get("command", ""))
