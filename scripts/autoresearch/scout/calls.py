"""The function that a goal names, and calls of it with fixed arguments from tests, documents and docstrings."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterable, Iterator, Mapping

from ..checks import toolbox
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from . import goal_words, scenarios
from .surroundings import Project

_MOST, _WIDTH = 4, 400  # calls taken, and characters of all of them
_OTHERS = 6
_TRIED = 8  # scenarios that are run
_NOTHING = 0.01  # milliseconds of a call that no sentence about speed means
_SAMPLES = 6  # functions whose answers stand for those of a library without tests
_STEM = 4  # letters that a word and a name share at least
_COMMON = frozenset(
    ("make", "faster", "fast", "run", "speed", "the", "function", "slow", "call", "get", "set", "start", "main", "test")
)
_REFUSED = re.compile(r"raises|assertRaises|fails")
_JS = re.compile(
    r"(?:^|[^.\w])(?:function\s+|exports\.|export\s+(?:async\s+)?(?:const|function)\s+)(\w+)", re.MULTILINE
)


@dataclass(frozen=True)
class Work:
    """A piece of work to time: code, statements before it, and where the calls in it come from ("" for nowhere)."""

    code: str
    setup: str
    source: str
    others: tuple[str, ...] = ()  # further calls, for their answers
    guessed: str = ""  # the function that was taken where the goal names none
    named: str = ""  # the function or method, where the statements do not end with its import


def python_work(project: Project, goal: str) -> Work | None:
    """The function of a Python project that the goal names; its code is "" where no call of it is known."""
    functions = _top_functions(project)
    calls = _every_call(project, functions)
    named = named_in(goal, functions)
    name = named or ("" if named_in(goal, _methods(project)) else _busiest(calls))
    if not name:
        return None
    guessed = "" if named else name
    module = _module(functions[name])
    found = dict(calls.get(name, {}))
    for call in _calls(toolbox.read(project.root / functions[name]), functions[name], {name}):
        found.setdefault(call[1], functions[name])
    chosen = _chosen(found)
    code = chosen[0] if len(chosen) == 1 else f"[{', '.join(chosen)}]" if chosen else ""
    rest = sorted((call for call in found if call not in chosen and len(call) < _WIDTH / 4), key=lambda c: (-len(c), c))
    source = found[chosen[0]] if chosen else ""
    return Work(code, f"from {module} import {name}", source, tuple(rest[:_OTHERS]), guessed=guessed)


def samples(project: Project) -> tuple[tuple[str, ...], str]:
    """One plain call of each of some functions, as tests and documents make them, and the imports before them."""
    functions = _top_functions(project)
    found = _every_call(project, functions)
    busy = sorted(found, key=lambda name: (-len(found[name]), name))[:_SAMPLES]
    codes = tuple(max(found[name], key=lambda call: (len(call) < _WIDTH / 4, len(call))) for name in busy)
    return codes, "; ".join(f"from {_module(functions[name])} import {name}" for name in busy)


def _top_functions(project: Project) -> dict[str, str]:
    """Public functions of the program with their files."""
    return {name: path for path in program(project, ".py") for name in _functions(toolbox.read(project.root / path))}


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").removeprefix("src/").replace("/", ".")


def _every_call(project: Project, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """The plain calls of each function in tests and documents, with the file that has them."""
    found: dict[str, dict[str, str]] = {}
    known = set(names)
    for path in (*filter(project.is_test, project.files), *_documents(project), *program(project, ".py")):
        read_as = path if project.is_test(path) else "examples"  # of the program its docstrings alone
        for name, call in _calls(toolbox.read(project.root / path), read_as, known):
            found.setdefault(name, {}).setdefault(call, path)
    return found


def _busiest(calls: Mapping[str, Mapping[str, str]]) -> str:
    """The function that is called in most ways, "" where none is."""
    return max(calls, key=lambda name: (len(calls[name]), sum(map(len, calls[name]))), default="")


def tried(project: Project, goal: str, seconds: float) -> Work | None:
    """The work that the goal names, taken from tests where no plain call is known: the longest of what runs here, with
    equal results, within the time."""
    plain = python_work(project, goal)
    if plain is not None and (plain.code or plain.guessed):
        return plain
    name = plain.setup.rpartition(" ")[2] if plain else named_in(goal, _methods(project))
    end, best, most = time.monotonic() + seconds, plain, 0.0
    for number, found in enumerate(scenarios.of(project, name) if name else ()):
        if number >= _TRIED or time.monotonic() > end:
            break
        spec = {"code": found.code, "setup": found.setup, "repeats": 1}
        request = toolbox.Request(project.root, (), {"timeout": max(2.0, end - time.monotonic())})
        try:
            spent = float(toolbox.inside(request, toolbox.python(request), "callable.py", spec)["ms"])
        except Refusal:
            continue
        if spent > most:
            best, most = Work(found.code, found.setup, found.source, named=name), spent
    # "Slow against bigger tables" does not mean the method `tables`, whose call does next to nothing.
    return None if best is not plain and most < _NOTHING and _is_aside(goal, name) else best


def _is_aside(goal: str, name: str) -> bool:
    """Whether the goal has a name as a plain word behind one of those that say where or with what it is slow."""
    words = r"against|with|on|in|for|from|over|gegen|mit|bei|auf|über|für|aus|avec|sur|dans|pour|con|en|para|sobre"
    return re.search(rf"\b(?:{words})\s+(?:\w+\s+){{0,2}}{re.escape(name)}\b(?!\()", goal, re.IGNORECASE) is not None


def _methods(project: Project) -> list[str]:
    """Public methods of the classes of the program, and its functions."""
    found: dict[str, None] = {}
    for path in program(project, ".py"):
        try:
            tree = ast.parse(toolbox.read(project.root / path))
        except (SyntaxError, ValueError):
            continue
        inner = (node for top in tree.body if isinstance(top, ast.ClassDef) for node in top.body)
        functions = (node for node in (*tree.body, *inner) if isinstance(node, ast.FunctionDef))
        found.update((node.name, None) for node in functions if not node.name.startswith("_"))
    return list(found)


def node_work(project: Project, goal: str, entry: str) -> Work | None:
    """The function of a JavaScript project that the goal names; see `python_work`."""
    names = {
        name: path
        for path in program(project, ".js", ".cjs")
        for name in _JS.findall(toolbox.read(project.root / path))
    }
    texts = {p: toolbox.read(project.root / p) for p in (*filter(project.is_test, project.files), *_documents(project))}
    calls = {name: found for name in names if (found := _node_calls(name, texts))}
    name = named_in(goal, names) or _busiest(calls)
    if not name:
        return None
    place = f"require('./{entry if entry in project.files else names[name]}')"
    found = calls.get(name, {})
    chosen = _chosen(found)
    code = f"[{', '.join(chosen)}]" if chosen else ""
    guessed = "" if named_in(goal, names) else name
    return Work(code, f"const {{ {name} }} = {place}", found[chosen[0]] if chosen else "", guessed=guessed)


def _node_calls(name: str, texts: Mapping[str, str]) -> dict[str, str]:
    """Calls of a function with literals alone, those of objects too, and the file of each."""
    text_or_sign = r"""'[^'\n]*'|"[^"\n]*"|[\d.,\s\[\]{}:-]|\b\w+\s*:|\b(?:true|false|null|undefined)\b"""
    literal = re.compile(rf"(?<![\w$]){re.escape(name)}\(((?:{text_or_sign})+)\)")
    found: dict[str, str] = {}
    for path, text in texts.items():
        for arguments in literal.findall(text):
            found.setdefault(f"{name}({' '.join(arguments.split())})", path)
    return found


def program(project: Project, *endings: str) -> Iterator[str]:
    """The files with these endings that are no tests."""
    return (name for name in project.files if name.endswith(endings) and not project.is_test(name))


def _documents(project: Project) -> Iterator[str]:
    return (name for name in project.files if name.endswith((".md", ".rst", ".txt", "/METADATA", "PKG-INFO")))


def _functions(text: str) -> list[str]:
    """Public functions at the top of a module."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return []
    return [node.name for node in body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


def named_in(goal: str, names: Iterable[str]) -> str:
    """The name in the goal: one written like code before one that is also a word; "" for none."""
    known = set(names)
    text = " ".join([goal, *goal_words.in_english(goal)])
    words = re.findall(r"[`'\"]?([A-Za-z_][\w.]*)(\(\))?", text)
    found = [(word.rpartition(".")[2], bool(mark) or "_" in word or "." in word.strip(".")) for word, mark in words]
    like_code = [word for word, marked in found if marked and word in known]
    plain = [word for word, _ in found if word in known and word.lower() not in _COMMON]
    stems = [name for word, _ in found for name in sorted(known) if is_form_of(word.lower(), name.lower())]
    return next(iter([*like_code, *plain, *stems]), "")


def is_form_of(word: str, name: str) -> bool:
    """Whether a word is a form of a function's name: "parsing" and "Parsen" of `parse`."""
    stem = name.rstrip("e")
    return len(stem) >= _STEM and word.startswith(stem) and len(word) <= len(name) + 3


def _calls(text: str, path: str, names: set[str]) -> Iterator[tuple[str, str]]:
    """Calls of the functions whose arguments are all literals, by name; none that is expected to fail."""
    source = text if path.endswith(".py") else ""
    examples = "\n".join(re.findall(r"^\s*>>> (.*)$", text, re.MULTILINE))
    for part in (source, *examples.splitlines()):
        try:
            tree = ast.parse(part)
        except (SyntaxError, ValueError):
            continue
        refused = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.With) and _REFUSED.search(ast.unparse(node.items[0].context_expr))
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            name = _plain_call(node) if isinstance(node, ast.Call) and id(node) not in refused else ""
            if name in names and isinstance(node, ast.Call):
                yield name, f"{name}({', '.join(map(ast.unparse, [*node.args, *node.keywords]))})"


def _plain_call(node: ast.Call) -> str:
    """The name of what is called with literals alone, "" for any other call."""
    called = node.func
    plain = bool(node.args) and all(map(_is_literal, [*node.args, *(key.value for key in node.keywords)]))
    if isinstance(called, ast.Name):
        return called.id if plain else ""
    inside = isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name)
    return called.attr if plain and inside and isinstance(called, ast.Attribute) else ""


def _is_literal(node: ast.AST) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _chosen(found: Iterable[str]) -> list[str]:
    """The longest calls, as many as are allowed: long arguments are more work."""
    chosen: list[str] = []
    for call in sorted(found, key=lambda text: (-len(text), text)):
        if len(chosen) < _MOST and sum(map(len, chosen)) + len(call) <= _WIDTH:
            chosen.append(call)
    return chosen
