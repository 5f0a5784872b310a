"""By which settings types are checked: the project's tsconfig, one that its scripts name, or settings to be agreed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from ..checks import toolbox, tstypes
from .surroundings import Project

_NAMED = re.compile(r"\b(?:vue-)?tsc\b[^&|;]*?(?:-p|--project|-b|--build)[ =](\S+\.json)")
_ASSUMED = " --option=--strict"
_PLAIN = " --option=--allowJs --option=--checkJs"  # JavaScript, whose types stand in comments or are inferred
_TYPES = re.compile(r"type-?check\w*|check[:-]?types?|types?|tsc|(?:lint|test)[:-]types?")
_BUILDS = re.compile(r"build|compile|prepack")


def operands(project: Project, paths: Sequence[str]) -> str:
    """What `tsc` and its like are given beside paths: "" where a tsconfig.json lies over them, the file that a script
    names, or the settings that are assumed."""
    plain = "" if "TypeScript" in project.sources else _PLAIN
    if tstypes.projects(toolbox.Request(project.root, tuple(paths), {})):
        return plain
    named = (found for text in _scripts(project).values() for found in _NAMED.findall(text))
    others = (*named, *(name for name in project.files if re.fullmatch(r"tsconfig[\w.-]*\.json", name)))
    file = next((name for name in others if (project.root / name).is_file()), "")
    return f" --tool {shlex.quote(file)}{plain}" if file else plain + _ASSUMED


def told(project: Project, verify: str) -> str:
    """What is to be agreed where no tsconfig.json exists, with the project's own script; "" where one does."""
    if not verify.endswith(_ASSUMED):
        return ""
    own = own_script(project)
    said = f"; `npm run {own}` passes or fails, no number" if own else ""
    return (
        "NO tsconfig.json exists, the settings are ASSUMED (strict, as tsc --init writes them), part of the errors may "
        f"be of those: agree on them with the user, or name a file by --tool{said}"
    )


def own_script(project: Project) -> str:
    """The project's own script that compiles, the one for types alone first; "" for none."""
    names = sorted(_scripts(project), key=lambda name: _TYPES.fullmatch(name) is None)
    return next((name for name in names if _TYPES.fullmatch(name) or _BUILDS.fullmatch(name)), "")


def _scripts(project: Project) -> dict[str, str]:
    found = project.package.get("scripts")
    return {str(name): str(text) for name, text in found.items()} if isinstance(found, dict) else {}
