"""Settings of flake8 in a project that has none of ruff: what ruff is told, to count what the project means."""

from __future__ import annotations

import configparser
import re

from .surroundings import Project

_FILES = (".flake8", "setup.cfg", "tox.ini")
_RULES = ("E", "F", "W", "B", "N", "D", "C90")  # families that ruff has under flake8's names
# What flake8 is often told to ignore and ruff knows; it refuses codes that it does not know.
_KNOWN = frozenset(
    "E101 E203 E226 E402 E501 E711 E712 E713 E714 E721 E722 E731 E741 E742 E743 E902 F401 F402 F403 F404 F405 F541 "
    "F601 F632 F811 F821 F822 F823 F841 W191 W291 W292 W293 W391 W605 C901 E F W B N D".split()
)


def operands(project: Project) -> str:
    """The options of ruff that stand for flake8's settings, "" where ruff has its own or flake8 none."""
    found = _settings(project)
    if found is None:
        return ""
    asked = {rule for code in _codes(found, "select", "extend-select") for rule in _RULES if code.startswith(rule)}
    rules = sorted(asked or {"E", "F", "W"})
    ignored = [code for code in _codes(found, "ignore", "extend-ignore") if code in _KNOWN]
    length = re.match(r"\d+", found.get("max-line-length", "") or found.get("max_line_length", ""))
    words = [f"--select={','.join(rules)}", f"--line-length={length[0] if length else 79}"]
    words += [f"--ignore={','.join(dict.fromkeys(ignored))}"] if ignored else []
    return "".join(f" --option={word}" for word in words)


def told(project: Project) -> str:
    """What is said of it, "" where nothing is."""
    if _settings(project) is None:
        return ""
    return (
        "the project is set up for flake8, not ruff: counted are ruff's rules of the same names, by flake8's settings"
    )


def _settings(project: Project) -> configparser.SectionProxy | None:
    if project.configured("ruff"):
        return None
    for name in _FILES:
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(project.text(name))
        except configparser.Error:
            continue
        if parser.has_section("flake8"):
            return parser["flake8"]
    return None


def _codes(found: configparser.SectionProxy, *names: str) -> list[str]:
    text = " ".join(found.get(key, "") for name in names for key in (name, name.replace("-", "_")))
    return re.findall(r"\b[A-Z]{1,3}\d*\b", re.sub(r"#[^\n]*", "", text))
