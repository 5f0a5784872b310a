"""Why a check measures another checkout than the one that is edited, and the remedy."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from ..kernel.core.settings import Config
from ..kernel.core.text import one_line
from ..kernel.system import ask
from . import evaluator_files, named_files, skill_paths
from .listing import Listing

_LOOKED = 600  # links and path files that are looked at
_UNNAMED = re.compile(
    r"(?:.*/)?(?:conftest\.py|(?:site|user)customize\.py|\.env|\.npmrc|\.\w+rc|GNUmakefile|[Mm]akefile|[\w.-]+\.config\.\w+"
    r"|[\w.-]+\.(?:mk|cmake|cfg|ini|toml|json|ya?ml))"
)
_HELD = 5000  # tracked files that are looked at
_SMALL = 1 << 16  # bytes of a file that may name a path
_MODULES = ("node_modules/*", "node_modules/@*/*")
_LINKED = (*_MODULES, *(f"{place}/{pattern}" for place in ("*", "packages/*") for pattern in _MODULES))
_PATHS = ("*.pth", "__editable__*", "*.egg-link", "*.dist-info/direct_url.json")
_BUILT = ("CMakeCache.txt", "*/CMakeCache.txt", "go.work", "compile_commands.json", "*/build.ninja", "*.json", "*.toml")
_BRANCH = "or take --isolation branch"


def of(main: Path, tree: Path, config: Config) -> str:
    """What was found, and what to do about it."""
    return next(filter(None, _found(main, tree, config)), "") or (
        "Expected a check that reads the files of its own folder: correct it, " + _BRANCH
    )


def _found(main: Path, tree: Path, config: Config) -> Iterator[str]:
    yield _named(main, tree, config)
    yield _environment(main)
    yield _linked(main, tree)
    yield _installed(main, tree, config)
    yield _built(main, tree)
    yield _held(main, tree)


def _leads(text: str, main: Path) -> bool:
    """Whether a text names the checkout itself, not merely a path that begins alike (`repo-autoresearch-x`)."""
    return skill_paths.names_checkout(text, main)


def _named(main: Path, tree: Path, config: Config) -> str:
    if _leads(config.verify, main):
        return f"It names {main} itself; expected paths relative to the tree: correct the check"
    for name in named_files.expand(tree, evaluator_files.executed([config.verify])):
        if _leads(_text(tree / name), main):
            return f"{one_line(name, 80)} names {main} itself; expected paths relative to the tree: correct it"
    return ""


def _environment(main: Path) -> str:
    for name in ("PYTHONPATH", "NODE_PATH", "CLASSPATH", "GOFLAGS", "LD_LIBRARY_PATH", "RUBYLIB", "PERL5LIB"):
        if _leads(os.environ.get(name, ""), main):
            return f"{name} names {main}: unset it, or set it in the check to a path relative to the tree"
    return ""


def _linked(main: Path, tree: Path) -> str:
    for path in _entries(tree, (*_LINKED, "*", "*/*")):
        if path.is_symlink() and _leads_back(path, main, tree) and not _is_environment(path):
            return (
                f"{path.relative_to(tree)} is a link that leads to the main checkout; make it in the worktree instead: "
                f"--setup with the project's install command in place of --link, {_BRANCH}"
            )
    return ""


def _is_environment(path: Path) -> bool:
    """Whether a linked folder is, or lies in, a virtual environment, whose own path files tell more."""
    return any((folder / "pyvenv.cfg").is_file() for folder in (path, path.parent))


def _installed(main: Path, tree: Path, config: Config) -> str:
    """An editable install, in the environments of the tree or of the interpreter that the check starts."""
    folders = [path for pattern in ("*", ".*") for path in tree.glob(f"{pattern}/lib/python*/site-packages")]
    for folder in (*folders, *_searched(tree, config)):
        for path in _entries(folder, _PATHS):
            if _leads(_text(path), main):
                return (
                    f"{one_line(str(path), 160)} leads to {main}, as an editable install does: install it in the "
                    "worktree with --setup (python3 -m venv .venv && .venv/bin/pip install -e .), set PYTHONPATH=src "
                    f"(or PYTHONPATH=.) in the check, {_BRANCH}"
                )
    return ""


def _searched(tree: Path, config: Config) -> list[Path]:
    """Where the interpreter of the check looks for modules."""
    words = [word for word in evaluator_files.words(config.verify) if re.search(r"(?:^|/)python[\d.]*$", word)]
    named = [str(tree / word) if "/" in word else word for word in words]
    code = "import sys; print('\\n'.join(sys.path))"
    asked = {name: (name, "-c", code) for name in dict.fromkeys((*named[:3], "python3", "python"))}
    answers = ask.ask_all(asked, 5.0)
    lines = (line for text in answers.values() for line in text.splitlines())
    return [Path(line) for line in dict.fromkeys(lines) if line and Path(line).is_dir()]


def _built(main: Path, tree: Path) -> str:
    for path in _entries(tree, _BUILT):
        if path.is_file() and not path.is_symlink() and _leads(_text(path), main):
            return (
                f"{path.relative_to(tree)} was made for {main} and names it: make it anew in the worktree with "
                f"--setup, {_BRANCH}"
            )
    return ""


def _held(main: Path, tree: Path) -> str:
    """A tracked file that tools read without being told to and that names the checkout, such as a conftest.py."""
    for name in Listing(tree).held()[:_HELD]:
        if _UNNAMED.fullmatch(name) and _leads(_text(tree / name), main):
            return f"{one_line(name, 80)} names {main} itself; expected relative paths: correct it, {_BRANCH}"
    return ""


def _entries(folder: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    count = 0
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            count += 1
            if count > _LOOKED:
                return
            yield path


def _leads_back(path: Path, main: Path, tree: Path) -> bool:
    target = Path(os.path.realpath(path))
    return target.is_relative_to(os.path.realpath(main)) and not target.is_relative_to(os.path.realpath(tree))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace") if path.is_file() and path.stat().st_size < _SMALL else ""
    except OSError:
        return ""
