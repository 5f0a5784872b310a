"""What a project's manifests ask of packages: each with the versions that the project itself allows."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping

from ..checks import toolbox
from ..kernel.core.frozen import dataclass
from .surroundings import Project

_NAME = r"(?P<name>[A-Za-z](?:[\w.-]*\w)?)(?P<extras>\[[\w, -]+\])?"
_SPEC = r"\s*\(?(?P<spec>(?:[<>=!~]=?=?\s*[\w.*+!-]+\s*,?\s*)*)\)?\s*(?:;(?P<marker>[^#\n]*?))?"
_URL = r"\s*@\s*[\w+]+:[^\n]*?"
_QUOTED = rf"[\"']{_NAME}(?:{_SPEC}|{_URL})[\"']"
_FACTORS = r"(?:(?P<factors>[\w{},.!-]+):[ \t]*)?"
# Which files name packages, and how.
_MANIFESTS = tuple(
    (re.compile(place), re.compile(form, re.MULTILINE))
    for place, form in (
        (r"(?:^|/)(?:METADATA|PKG-INFO)$", rf"^Requires-Dist: {_NAME}{_SPEC}$"),
        (
            r"(?:^|/)(?:requires|[\w-]*(?:requirements?|constraints?)[\w-]*|requirements/[\w-]+)\.(?:txt|in)$",
            rf"^{_NAME}(?:{_SPEC}|{_URL})[ \t]*(?:[#\\-].*)?$",
        ),
        (r"(?:^|/)(?:pyproject\.toml|setup\.py|noxfile\.py)$", _QUOTED),
        (r"(?:^|/)(?:setup\.cfg|tox\.ini)$", rf"(?:^[ \t]+|=[ \t]*){_FACTORS}{_NAME}(?:{_SPEC}|{_URL})$"),
    )
)
_TABLES = re.compile(r"(?:^|/)(?:pyproject\.toml|Pipfile)$")
_ROW = re.compile(rf"^{_NAME}\s*=\s*(?P<value>[\"'{{].*)$", re.MULTILINE)
_FOR_TESTS = re.compile(r"tox\.ini|noxfile|test|dev|(?:^|/)ci\b")
_ASIDE = re.compile(r"(?:^|/)(?:docs?|examples?)/|(?:^|[/_-])docs?[-_.]")
_DEPENDENCIES = re.compile(r"""^dependencies\s*=\s*\[((?:[^\]"']|"[^"\n]*"|'[^'\n]*')*)""", re.MULTILINE)
_ATOM = re.compile(r"(\w+)\s*([<>=!~]=?|not in|in)\s*[\"']([^\"']*)[\"']")


@dataclass(frozen=True)
class Requirement:
    """One place that names a package: the name with extras, the versions ("" for any), and in which environments of
    tox alone."""

    name: str
    spec: str
    path: str
    factors: str = ""


def declared(project: Project) -> Mapping[str, str]:
    """Requirements as pip takes them, by their name in lower case with underscores."""
    found: dict[str, list[Requirement]] = {}
    for one in _all(project):
        found.setdefault(plain(one.name.partition("[")[0]), []).append(one)
    return {name: _joined(places) for name, places in found.items()}


def always(project: Project) -> tuple[str, ...]:
    """The packages that every installation of the project has, in the spelling of `plain`."""
    listed = _DEPENDENCIES.search(project.text("pyproject.toml"))
    quoted = re.findall(rf"[\"']{_NAME}", listed[1]) if listed else []
    return tuple(plain(name) for name, _ in quoted)


def bare(requirement: str) -> str:
    """A requirement's package alone, in the spelling of `plain`."""
    match = re.match(_NAME, requirement)
    return plain(match["name"]) if match else ""


def plain(name: str) -> str:
    """A package's name in the one spelling that all of its spellings share."""
    return re.sub(r"[-_.]+", "_", name).lower()


def _all(project: Project) -> Iterator[Requirement]:
    for path in project.files:
        forms = [form for place, form in _MANIFESTS if place.search(path)]
        text = toolbox.read(project.root / path) if forms or _TABLES.search(path) else ""
        for form in forms:
            yield from _read(form, text, path)
        if _TABLES.search(path):
            yield from _rows(text, path)


def _read(form: re.Pattern[str], text: str, path: str) -> Iterator[Requirement]:
    for match in form.finditer(text):
        got = match.groupdict()
        if _holds(got.get("marker") or "") and _is_here(got.get("factors") or ""):
            spec = re.sub(r"\s+|,\s*$", "", got.get("spec") or "")
            yield Requirement(got["name"] + (got["extras"] or ""), spec, path, got.get("factors") or "")


def _rows(text: str, path: str) -> Iterator[Requirement]:
    """Tables of packages, as Poetry and Pipenv write them; another table's keys are names alone."""
    for head, body in re.findall(r"^\[([^\]\n]+)\]\n(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL):
        for match in _ROW.finditer(body):
            value = re.search(r"^[\"']([^\"']*)|\bversion\s*=\s*[\"']([^\"']*)", match["value"])
            is_table = head.endswith("packages") or "dependencies" in head
            spec = _ranged("".join(filter(None, value.groups()))) if value and is_table else ""
            yield Requirement(match["name"], spec, path)


def _ranged(spec: str) -> str:
    """A range of Poetry as pip writes it: `^3.2` is `>=3.2,<4`, `~3.2` is `>=3.2,<3.3`."""
    found = []
    for part in filter(None, re.split(r"\s*,\s*", spec.strip())):
        mark, version = part[:1], part.lstrip("^~= ")
        numbers = re.findall(r"\d+", version)
        if part == "*" or (mark in "^~" and not numbers) or "||" in part:
            return ""
        if mark in "^~" and not part.startswith("~="):
            at = next((i for i, n in enumerate(numbers) if n != "0"), 0) if mark == "^" else min(1, len(numbers) - 1)
            found.append(f">={version},<{'.'.join([*numbers[:at], str(int(numbers[at]) + 1)])}")
        else:
            found.append(part if mark in "<>!=~" else f"=={part}")
    return re.sub(r"\s", "", ",".join(found))


def _joined(places: Iterable[Requirement]) -> str:
    """One requirement out of all that name a package: an exact version of the tests before others, else all ranges; of
    the environments of tox the last one, where nothing else says an upper end."""
    listed = sorted(places, key=lambda one: (_ASIDE.search(one.path) is not None, not _FOR_TESTS.search(one.path)))
    near = [one for one in listed if not _ASIDE.search(one.path)] or listed
    fixed = [one for one in near if not one.factors and one.spec]
    exact = next((one.spec for one in fixed if re.fullmatch(r"===?[^*,]+", one.spec)), "")
    parts = list(dict.fromkeys(part for one in fixed for part in one.spec.split(",")))
    chosen = [one.spec for one in near if one.factors and one.spec][-1:] if not _is_capped(parts) else []
    parts += [part for spec in chosen for part in spec.split(",") if part not in parts]
    if not exact and not _is_possible(parts):
        parts = (fixed or near)[0].spec.split(",")
    name = max((one.name for one in near), key=lambda text: "[" in text)
    return name + (exact or ",".join(parts))


def _is_capped(parts: Iterable[str]) -> bool:
    return any(part[:1] == "<" or part[:2] in ("==", "~=") for part in parts)


def _is_possible(parts: Iterable[str]) -> bool:
    """Whether some version may lie above the lower ends and below the upper ones."""
    ends = [(part[0], _numbers(part)) for part in parts if part[:1] in ("<", ">")]
    low = max((number for mark, number in ends if mark == ">"), default=())
    return all(low < number for mark, number in ends if mark == "<")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", text)))


def _is_here(factors: str) -> bool:
    """Whether an environment of tox is one of this Python."""
    pythons = re.findall(r"\bpy(?:\{([\d,]+)\}|(\d+))", factors)
    wanted = {one for group in pythons for text in group for one in text.split(",") if one}
    return not wanted or "".join(map(str, sys.version_info[:2])) in wanted


def _holds(marker: str) -> bool:
    """Whether what stands behind the semicolon of a requirement is true here; what is not known is."""
    return any(all(map(_atom, re.split(r"\band\b", part))) for part in re.split(r"\bor\b", marker))


def _atom(text: str) -> bool:
    match = _ATOM.search(text)
    if not match or match[1] not in ("python_version", "sys_platform"):
        return True
    if match[1] == "sys_platform":
        return (match[3] == sys.platform) == (match[2] == "==") if match[2] in ("==", "!=") else True
    here, there = sys.version_info[:2], _numbers(match[3])[:2]
    rules = {"<": here < there, "<=": here <= there, ">": here > there, ">=": here >= there, "==": here == there,
             "!=": here != there, "~=": here >= there}  # fmt: skip
    return rules.get(match[2], True)
