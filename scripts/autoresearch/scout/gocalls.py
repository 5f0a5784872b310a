"""What of a Go project is timed for a goal: a benchmark that it has, or a call of the function or method that is named,
with values made for its parameters."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping

from ..checks import gocall, toolbox
from ..kernel.core.frozen import dataclass
from . import calls
from .surroundings import Project

HELP = (
    "CODE: a call with a result, as its package writes it, with plain values: 'Parse(\"a b\", 3, []int{1})' ./pkg; of "
    "a method on a value made once: 'v.Match(\"a\")' ./pkg --setup 'v := New(\"x\")'"
)
_TEXT = "The quick brown fox jumps over the lazy dog"
_VALUES = {
    "string": (f'"{_TEXT}"', '"Pack my box with five dozen liquor jugs"'),
    "[]byte": (f'[]byte("{_TEXT}")',) * 2, "[]rune": (f'[]rune("{_TEXT}")',) * 2, "bool": ("true", "false"),
    "[]string": ('[]string{"quick", "brown", "fox"}',) * 2, **dict.fromkeys(("rune", "byte"), ("'x'", "'y'")),
    "interface{}": ('"123"', '"456"'), "any": ('"123"', '"456"'), "error": ("nil", "nil"),
    "[]interface{}": ('[]interface{}{"quick", 12}',) * 2, "[]any": ('[]any{"quick", 12}',) * 2,
    "map[string]string": ('map[string]string{"quick": "fox"}',) * 2,
    "io.Reader": (f'strings.NewReader("{_TEXT}")',) * 2, "context.Context": ("context.Background()",) * 2,
    "time.Duration": ("time.Duration(1500)",) * 2, "time.Time": ("time.Unix(1500000000, 0)",) * 2,
    **dict.fromkeys(("int", "int64", "uint", "uint64", "int32", "uint32"), ("123456", "654321")),
    **dict.fromkeys(("int8", "uint8", "int16", "uint16"), ("12", "34")),
    **dict.fromkeys(("float64", "float32"), ("1234.5", "0.25")),
    **{f"[]{kind}": (f"[]{kind}{{5, 3, 9, 1}}",) * 2 for kind in ("int", "int64", "float64", "uint", "int32")},
}  # fmt: skip
_PATTERN = re.compile(r"pattern|glob|expr|regex", re.IGNORECASE)
_SMALL = re.compile(r"^(?:n|count|times|repeat|size|width|len\w*|depth|max\w*|min\w*|limit|pad\w*)$", re.IGNORECASE)
_METHOD = re.compile(r"^func \((?:\w+\s+)?\*?(\w+)\) ([A-Z]\w*)\(", re.MULTILINE)
_INTERFACE = re.compile(r"^type ([A-Z]\w*) interface \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_FUNCTION = re.compile(r"^func ([A-Z]\w*)\(", re.MULTILINE)


@dataclass(frozen=True)
class _Method:
    """A method, the type that it is of, its parameters and results as they are written, and its file."""

    name: str
    kind: str
    given: str
    gives: str
    path: str


def benchmark(project: Project, goal: str) -> str:
    """Operands of `gobench`: the benchmark that is most like a word of the goal, else a call of what it names, else the
    first benchmark; "" for none."""
    found = {
        name: "./" + path.rpartition("/")[0]
        for path in project.files
        if path.endswith("_test.go")
        for name in re.findall(r"^func Benchmark(\w+)\(\w+ \*testing\.B\)", toolbox.read(project.root / path), re.M)
    }
    words = [word.lower() for word in re.findall(r"\w{4,}", goal)]
    near = sorted(
        (n for n in found if any(calls.is_form_of(word, n.lower()) or word in n.lower() for word in words)), key=len
    )
    given = _call(project, goal)
    name = next(iter([*near, *([] if given else found)]), "")
    return f"{name} {found[name]}" if name else given


def _call(project: Project, goal: str) -> str:
    """Operands for the function or method that the goal names: with arguments made for plain types; "" for none."""
    texts = {path: toolbox.read(project.root / path) for path in calls.program(project, ".go")}
    names = {name: path for path, text in texts.items() for name in _FUNCTION.findall(text)}
    methods = list(_methods(texts))
    name = calls.named_in(goal, [*names, *(method.name for method in methods)])
    if name in names:
        signature = gocall.signature(texts[names[name]], name)
        values = arguments(signature[0]) if signature and signature[1] else None
        return "" if values is None else f"{shlex.quote(f'{name}({values})')} {_folder(names[name])}"
    made = (_of_method(method, texts) for method in methods if method.name == name)
    return next(filter(None, made), "")


def _methods(texts: Mapping[str, str]) -> Iterator[_Method]:
    """Methods with a result: of interfaces first, for what is made is often known by them alone; of exported types."""
    for path, text in texts.items():
        for kind, body in _INTERFACE.findall(text):
            for match in re.finditer(r"^\t([A-Z]\w*)\(", body, re.MULTILINE):
                given, gives = gocall.parts(body, match.end())
                yield from [_Method(match[1], kind, given, gives, path)] if gives else ()
    found = [
        _Method(match[2], match[1], *gocall.parts(text, match.end()), path)
        for path, text in texts.items()
        for match in _METHOD.finditer(text)
    ]
    yield from sorted((method for method in found if method.gives), key=lambda method: method.kind[0].islower())


def _of_method(method: _Method, texts: Mapping[str, str]) -> str:
    """Operands for a method on a value that a function of the same package makes, or an empty one; "" for neither."""
    values = arguments(method.given)
    folder = _folder(method.path)
    near = {path: text for path, text in texts.items() if _folder(path) == folder}
    setup = next(filter(None, (_made(text, method.kind) for text in near.values())), "")
    if not setup and any(re.search(rf"^type {method.kind} struct\b", text, re.M) for text in near.values()):
        setup = f"var v {method.kind}"
    if values is None or not setup:
        return ""
    return f"{shlex.quote(f'v.{method.name}({values})')} {folder} --setup {shlex.quote(setup)}"


def _made(text: str, kind: str) -> str:
    """The statement that makes a value of a type by a function that gives it first; "" where none can be called."""
    for match in sorted(_FUNCTION.finditer(text), key=lambda found: not found[1].startswith(("New", "Must"))):
        given, gives = gocall.parts(text, match.end())
        parts = [part.split()[-1] for part in gives.strip("()").split(",") if part.strip()]
        values = arguments(given)
        if parts and parts[0].lstrip("*") == kind and values is not None:
            return f"{', '.join(['v', *'_' * (len(parts) - 1)])} := {match[1]}({values})"
    return ""


def _folder(path: str) -> str:
    return "./" + path.rpartition("/")[0]


def arguments(parameters: str) -> str | None:
    """Values for parameters as Go writes them, parted by commas; None where a type has none."""
    found = []
    for number, (name, kind) in enumerate(pairs(parameters)):
        if kind.startswith("..."):
            break
        value = _value(name, kind, number)
        if not value:
            return None
        found.append(value)
    return ",".join(found)


def _value(name: str, kind: str, number: int) -> str:
    if kind == "string" and _PATTERN.search(name):
        return '"[a-z]*"'
    if kind in ("int", "uint") and _SMALL.match(name):
        return "12"
    known = _VALUES.get(kind, ("", ""))[number % 2]
    return known or ("nil" if kind.startswith(("*", "map[", "func(", "[]", "chan ")) else "")


def pairs(parameters: str) -> list[tuple[str, str]]:
    """Names and types of parameters, those that share a type (`a, b string`) too; a type alone has the name ""."""
    parts = [part.strip().split(None, 1) for part in _commas(parameters) if part.strip()]
    named = any(len(part) > 1 and not part[0].startswith(("func(", "chan", "map[", "...", "*", "[")) for part in parts)
    if not named:
        return [("", " ".join(part)) for part in parts]
    found: list[tuple[str, str]] = []
    for part in reversed(parts):
        found.append((part[0], part[1] if len(part) > 1 else found[-1][1] if found else part[0]))
    return found[::-1]


def _commas(text: str) -> Iterator[str]:
    """The parts between commas that stand in no bracket."""
    depth, start = 0, 0
    for at, sign in enumerate(text):
        depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(sign, 0)
        if sign == "," and not depth:
            yield text[start:at]
            start = at + 1
    yield text[start:]
