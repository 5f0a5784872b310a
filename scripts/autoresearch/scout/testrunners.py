"""Which command runs a project's Python tests: the one that its own tox, CI, nox or Makefile names, else pytest."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from ..checks import toolbox
from ..kernel.core.frozen import dataclass
from .surroundings import Project

_CI = re.compile(
    r"^(?:\.github/workflows/.*|\.travis|\.gitlab-ci|azure-pipelines|\.circleci/config|\.appveyor|appveyor)\.ya?ml$"
)
_PLAIN = ("tox.ini", "setup.cfg", "pyproject.toml", "Makefile", "makefile", "justfile")
_HOLES = (
    (re.compile(r"\{envbindir\}/|\{toxinidir\}/?|\[\]|\$\(\w+\)"), ""),
    (re.compile(r"\{envpython\}"), "python"),
    (re.compile(r"\{(?:pos)?args:?([^}]*)\}"), r"\1"),  # with what stands for them where none are given
)
_START = re.compile(r"^\s*(?:- )?(?:run|script|commands|test|\w+_test)?\s*[:=]?\s*[\"'\[]*[@-]?\s*")
_ALONE = re.compile(r"-[qvxsl]+$|--[\w-]+=|--(?:strict\S*|verbose|quiet|exitfirst|reuse-db|create-db|nomigrations)$")
_WRAPPED = re.compile(
    r"^(?:(?:poetry|pdm|uv|pipenv|hatch|rye) run |xvfb-run (?:-a )?|exec |env )*(?:[A-Z_]+=\S+ )*"
    r"(?:(?:python[\d.]*|pypy\d?)(?: -W ?\S+| -[bBuIE]+| -X ?\S+)* )?"
    r"(?:(?:-m )?coverage run(?: (?:-[pa]\b|--(?:source|rcfile|omit|include)[= ]\S+|--[\w-]+(?:=\S+)?))* )?"
)
_PYTEST = re.compile(r"^(?:-m )?(?:pytest|py\.test)\b")
_OTHERS = re.compile(
    r"^(?:-m )?(?P<admin>django-admin|django) test\b|^(?P<file>[\w./-]+\.py)(?P<test> test\b)?|^-m (?P<unit>unittest)\b"
)
_SCRIPTS = re.compile(r"(?:^|/)(?:run_?tests?|runtests?|test_?runner|alltests)\.py$")
_SECTION = re.compile(r"^\[(?:tool[.:])?pytest\b", re.MULTILINE)
_SETTINGS = re.compile(r"^\s*DJANGO_SETTINGS_MODULE\s*[=:]\s*[\"']?([\w.]+)", re.MULTILINE)


@dataclass(frozen=True)
class Runner:
    """The words behind the interpreter, and variables before it; `kind` is pytest, unittest or other."""

    kind: str
    words: tuple[str, ...] = ()
    before: str = ""


def of(project: Project) -> Runner:
    """The runner; pytest where nothing names another."""
    lines = list(_commands(project))
    given = next((line for line in lines if _PYTEST.match(line)), "")
    if given or any(_SECTION.search(project.text(name)) for name in _PLAIN[:3]) or project.has("pytest.ini"):
        return Runner("pytest", tuple(_kept(project, _PYTEST.sub("", given))), _settings(project))
    found = (runner for line in lines if (runner := _other(project, line)))
    return next(found, _of_django(project) or Runner("pytest", before=_settings(project)))


def _of_django(project: Project) -> Runner | None:
    """Django's own runner, with the settings of the tests, for an application that names no runner and no settings for
    pytest; None for other projects."""
    pattern = re.compile(r"(?:\w+/)*(?:test_?)?settings(?:_?tests?)?\.py")
    named = [name for name in project.files if pattern.fullmatch(name) and "INSTALLED_APPS" in _text(project, name)]
    texts = (_text(project, name) for name in project.files if project.is_test(name))
    uses = re.compile(r"^from django\.test import", re.MULTILINE)
    if not named or _settings(project) or not any(map(uses.search, texts)):
        return None
    if "manage.py" in project.files:
        return Runner("other", ("manage.py", "test"))
    module = min(named, key=lambda name: ("test" not in name, len(name))).removesuffix(".py").replace("/", ".")
    return Runner("other", ("-m", "django", "test", f"--settings={module}"))


def _text(project: Project, name: str) -> str:
    return toolbox.read(project.root / name) if name.endswith(".py") and (project.root / name).is_file() else ""


def _commands(project: Project) -> Iterator[str]:
    """Commands as they stand in the project, from the first word behind the interpreter on."""
    texts = [project.text(name) for name in _PLAIN]
    texts += [toolbox.read(project.root / name) for name in project.files if _CI.match(name)]
    for line in "\n".join(texts).splitlines():
        for hole, text in _HOLES:
            line = hole.sub(text, line)
        for part in re.split(r"&&|;", _START.sub("", line, count=1)):
            yield _WRAPPED.sub("", " ".join(part.strip(" \"',]").split()))
    for words in re.findall(r"session\.run\(([^)]*)\)", project.text("noxfile.py")):
        yield _WRAPPED.sub("", " ".join(re.findall(r"[\"']([^\"']+)[\"']", words)))


def _other(project: Project, line: str) -> Runner | None:
    match = _OTHERS.match(line)
    if not match:
        return None
    path = (match["file"] or "").removeprefix("./")
    rest = line[match.end() :]
    if match["admin"]:
        return Runner("other", ("-m", "django", "test", *_words(rest)), _settings(project))
    if match["unit"]:
        return Runner("unittest", ("-m", "unittest", *_words(rest)))
    if path in project.files and (_SCRIPTS.search(path) or (match["test"] and path.endswith("manage.py"))):
        return Runner("other", (path, *(["test"] if match["test"] else []), *_words(rest)), _settings(project))
    return None


def _kept(project: Project, rest: str) -> Iterator[str]:
    """Of the options of pytest those without which it finds other tests: paths, and Django's settings."""
    before = ""
    for word in _words(rest):
        free = not before.startswith("-") or _ALONE.match(before) is not None
        if before == "--ds" or word.startswith("--ds="):
            yield word if before != "--ds" else f"--ds={word}"
        elif free and not word.startswith("-") and (project.root / word.partition("::")[0]).exists():
            yield word
        before = word


def _words(text: str) -> Sequence[str]:
    try:
        return [word for word in shlex.split(text) if not re.search(r"[{}$<>|]", word)]
    except ValueError:
        return []


def _settings(project: Project) -> str:
    """The variable that names Django's settings, where tox or CI sets it and pytest's settings do not."""
    texts = [project.text("tox.ini"), *(toolbox.read(project.root / n) for n in project.files if _CI.match(n))]
    own = any(_SECTION.search(t) and _SETTINGS.search(t[_at(t) :]) for t in map(project.text, _PLAIN[:3]))
    found = next(filter(None, map(_SETTINGS.search, texts)), None)
    return f"DJANGO_SETTINGS_MODULE={found[1]} " if found and not own and not project.has("pytest.ini") else ""


def _at(text: str) -> int:
    match = _SECTION.search(text)
    return match.start() if match else len(text)
