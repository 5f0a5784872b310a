"""Where checks name a checkout, and where they name this skill inside it, which judges the same from any checkout."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..kernel.core.settings import Config
from ..kernel.disk.layout import SKILL_ROOT, installed
from . import evaluator_files

_SCRIPT = "/scripts/autoresearch_"  # what follows the skill's folder in a command


def commands(config: Config) -> list[str]:
    """Everything that is run to judge."""
    named = (config.verify, config.guard, config.confirm, config.prepare, config.screen)
    return [command for command in named if command]


def is_skill(folder: str | Path) -> bool:
    """Whether a path leads to this skill's folder, by links too, be it the installed one or a run's own copy."""
    return Path(os.path.realpath(folder)) in {SKILL_ROOT, Path(os.path.realpath(installed()))}


def names_checkout(text: str, tree: Path) -> bool:
    """Whether a text names a checkout itself: not merely a path that begins alike (`repo-autoresearch-x`), nor the
    skill inside it."""
    spelt = {str(tree), os.path.realpath(tree)}
    found = (text[at.start() :] for name in spelt for at in re.finditer(re.escape(name) + r"(?![\w.-])", text))
    return any(not _is_skills(rest, tree) for rest in found)


def _is_skills(text: str, tree: Path) -> bool:
    """Whether the path that a text begins with is that of a script of the skill, which is not the checkout itself."""
    folder, cut, _ = text.partition(_SCRIPT)
    return bool(cut) and is_skill(folder) and Path(os.path.realpath(tree)) != Path(os.path.realpath(folder))


def reached(tree: Path, config: Config) -> tuple[str, ...]:
    """The skill's folder as the checks name it from within the tree, relative to it; () where they name it by its
    absolute path or not at all."""
    listed = commands(config)
    words = {*evaluator_files.executed(listed), *(word for text in listed for word in evaluator_files.named(text))}
    folders = {word.partition(_SCRIPT)[0] for word in words if _SCRIPT in word and not os.path.isabs(word)}
    inside = sorted(os.path.normpath(folder) for folder in folders if is_skill(tree / folder))
    return tuple(dict.fromkeys(name for name in inside if not name.startswith("..") and name != "."))


def lay(source: Path, made: Path, config: Config) -> None:
    """Lay links to the skill into another checkout, where the checks name it by relative paths and git has it not."""
    for name in reached(source, config):
        place = made / name
        if place.is_dir() and not any(place.iterdir()):  # of a submodule, which git wants to be no link
            place, name = place / "scripts", f"{name}/scripts"
        inside = Path(os.path.realpath(place)).is_relative_to(os.path.realpath(made))
        if inside and not os.path.lexists(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(os.path.realpath(source / name))
