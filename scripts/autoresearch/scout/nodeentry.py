"""What users of a Node package import, as a source that edits change: manifests name what a build made of it."""

from __future__ import annotations

import re

from ..checks import tstypes
from .surroundings import Project

_LINTS = ("eslint.config.*", ".eslintrc*", "xo.config.*")
_BUILDS = re.compile(r"build|compile|\btsc\b(?!.*--noEmit)|rollup|tsup|esbuild|babel|generat|webpack|\bcp\b|mkdir|link")


def source(project: Project) -> str:
    """The entry as a source file of the project; "" where package.json names none, or only what is built."""
    found = [str(project.package.get(name) or "").removeprefix("./") for name in ("source", "module", "main")]
    own = next((name for name in found if name in project.files and is_source(project, name)), "")
    return own or next(iter(tstypes.offered_sources(project.root)), "")


def is_source(project: Project, name: str) -> bool:
    """Whether a file lies where the program's sources do, so that edits reach it."""
    places = [place for language in ("JavaScript", "TypeScript") for place in project.sources.get(language, ())]
    return any(name == place or name.startswith(f"{place}/") for place in places)


def built(project: Project) -> str:
    """The entry that a build makes, such as `dist/index.js`; "" where the entry is a source."""
    entry = str(project.package.get("main") or project.package.get("module") or "").removeprefix("./")
    return entry if entry and not is_source(project, entry) and "TypeScript" in project.sources else ""


def tests(project: Project) -> str:
    """The command of the tests, without linters and audits that npm runs before and after them."""
    scripts = project.package.get("scripts") or {}
    around = [str(scripts[name]) for name in ("pretest", "posttest") if name in scripts]
    return "npm test --silent" + (" --ignore-scripts" if around and not any(map(_BUILDS.search, around)) else "")


def lints_without_settings(project: Project) -> str:
    """What is to be filled in where ESLint has no settings, without which it looks at nothing; "" where it has."""
    if project.settings(*_LINTS) or "eslintConfig" in project.package or "xo" in project.package:
        return ""
    lint = "; `npm run lint` is their own check" if "lint" in (project.package.get("scripts") or {}) else ""
    return f"FILE: settings of ESLint, of which none exist here: agree on them with the user{lint}"
