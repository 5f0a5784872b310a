"""The ways out of a finding, counted in the source: comments that silence, casts, `Any`. Pure."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable

TYPES = r"type:\s*ignore|\b(?:mypy|pyright|pyre|ty|pytype):"
LINT = r"\bnoqa\b|\b(?:ruff|flake8|pylint|isort):"
COVERAGE = r"pragma:\s*no\s*(?:cover|branch)"
_TYPESCRIPT = re.compile(r"(?://|/\*|^\s*\*)[^\n]*?@ts-(?:ignore|expect-error|nocheck)", re.MULTILINE)
_ESLINT = re.compile(r"(?://|/\*)[^\n]*?\beslint-disable")
_ESLINT_RULES = re.compile(r"/\*\s*eslint\s+([^*]*)")
_OFF = re.compile(r"""["'`]off["'`]|["'`\w]\s*:\s*(?:off\b|\[?\s*0\s*(?=[,\]}\n]|$))""")
_RUST = re.compile(r"#!?\[\s*(?:cfg_attr\([^\]]*?)?(?:allow|expect)\s*\(")
_GO = re.compile(r"//\s*(?:nolint\b|lint:ignore|lint:file-ignore)")


def comments(source: str, pattern: str) -> int:
    """How many comments of a Python source match; a source that does not tokenize is searched as text."""
    wanted = re.compile(pattern)
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return len(re.findall(rf"#[^\n]*?(?:{pattern})", source))
    return sum(wanted.search(token.string) is not None for token in tokens if token.type == tokenize.COMMENT)


def python_types(texts: Iterable[str]) -> dict[str, int]:
    """`ignores` (comments and `no_type_check`), `casts` and `anys` of Python sources."""
    found = {"ignores": 0, "casts": 0, "anys": 0}
    for source in texts:
        found["ignores"] += comments(source, TYPES) + len(re.findall(r"^\s*@(?:\w+\.)*no_type_check", source, re.M))
        found["casts"], found["anys"] = (found[key] + more for key, more in zip(("casts", "anys"), _loose(source)))
    return found


def _loose(source: str) -> tuple[int, int]:
    """Casts and uses of `Any`, under whatever names the file imported them."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError):
        return len(re.findall(r"\bcast\(", source)), len(re.findall(r"\bAny\b", source))
    names = _aliases(nodes)
    casts = sum(isinstance(node, ast.Call) and _name(node.func, names) == "cast" for node in nodes)
    used = sum(_name(node, names) == "Any" for node in nodes if isinstance(node, (ast.Name, ast.Attribute)))
    return casts, used + sum(_quoted(node) for node in nodes)


def _aliases(nodes: Iterable[ast.AST]) -> dict[str, str]:
    found = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module in ("typing", "typing_extensions"):
            found.update({alias.asname: alias.name for alias in node.names if alias.asname})
    return found


def _name(node: ast.AST, aliases: dict[str, str]) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return aliases.get(node.id, node.id) if isinstance(node, ast.Name) else ""


def _quoted(node: ast.AST) -> int:
    """Uses of `Any` in annotations that are written as text."""
    places = (getattr(node, "annotation", None), getattr(node, "returns", None))
    inner = (part for place in places if place is not None for part in ast.walk(place))
    return sum(
        len(re.findall(r"\bAny\b", p.value)) for p in inner if isinstance(p, ast.Constant) and isinstance(p.value, str)
    )


def typescript(texts: Iterable[str]) -> int:
    """Comments that silence the TypeScript compiler."""
    return sum(len(_TYPESCRIPT.findall(text)) for text in texts)


def eslint(texts: Iterable[str]) -> int:
    """Comments that switch ESLint off, and rules that they switch off."""
    return sum(len(_ESLINT.findall(text)) + eslint_rules([text]) for text in texts)


def eslint_rules(texts: Iterable[str]) -> int:
    """Rules that are off in comments of settings, such as `/* eslint eqeqeq: 0 */`."""
    return sum(rules_off(inner.strip()) for text in texts for inner in _ESLINT_RULES.findall(text))


def rules_off(settings: str) -> int:
    """How often settings of ESLint say of a rule that it is off."""
    return len(_OFF.findall(settings))


def rust(texts: Iterable[str]) -> int:
    """Attributes that allow or expect a lint in Rust sources."""
    return sum(len(_RUST.findall(text)) for text in texts)


def golang(texts: Iterable[str]) -> int:
    """Comments that silence Go linters."""
    return sum(len(_GO.findall(text)) for text in texts)


def hollow_tests(texts: Iterable[str]) -> tuple[int, int]:
    """How many test functions Python test files hold, and how many of them check nothing.

    A test checks something when it asserts, expects an exception or a warning, or calls `fail`; through a helper
    too, when the helper's name says so (`assert_same`, `check_x`, `self.verify()`).
    """
    tests = [node for text in texts for node in ast.walk(_parsed(text)) if _is_test(node)]
    checks = r"\b(?:assert\w*|raises|warns|fail|expect\w*|check\w*|verify\w*)\b|\.assert|_assert"
    return len(tests), sum(not re.search(checks, ast.unparse(node)) for node in map(_body, tests))


def _parsed(text: str) -> ast.AST:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])


def _is_test(node: ast.AST) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test")


def _body(node: ast.AST) -> ast.Module:
    """A test's statements without its name and its docstring, which may say anything."""
    body = list(getattr(node, "body", []))
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    return ast.Module(body=body or [ast.Pass()], type_ignores=[])
