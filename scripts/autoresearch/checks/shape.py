"""The shape of a source: documentation, complexity, repeated lines, dependencies."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..kernel.core import jsontext
from ..kernel.core.errors import Refusal
from . import toolbox
from .counted import Counted, Finding, least_one
from .toolbox import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]
    Documented = Union[ast.Module, ast.ClassDef, Function]

# Each opens one more way through a function (McCabe 1976); conditions inside expressions count too, unlike in flake8.
_BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp, ast.comprehension)
_DEPENDENCIES = re.compile(r"^dependencies\s*=\s*\[(.*?)\]\s*(?:#.*)?$", re.MULTILINE | re.DOTALL)
_TRIVIAL = re.compile(r"^\W*$|^[\s{}()\[\];,]*$")


def parsed(request: Request) -> dict[str, ast.Module]:
    """The Python files below the operands; raises `Refusal` for one that does not parse."""
    found = {}
    for path in toolbox.sources(request, ".py"):
        try:
            found[toolbox.relative(path, request.root)] = ast.parse(toolbox.read(path))
        except (SyntaxError, ValueError) as error:
            raise Refusal(f"{path} does not parse ({error}), expected a whole program") from None
    return found


def documentation(request: Request) -> Counted:
    """Public modules, classes and functions of Python code without a docstring; `hollow` ones say nothing."""
    nodes = [(path, node) for path, tree in parsed(request).items() for node in _public(tree)]
    least_one(len(nodes), "nothing public was found", "name a package with public modules")
    bare = [(path, node) for path, node in nodes if not ast.get_docstring(node)]
    hollow = sum(_is_hollow(node) for _, node in nodes if ast.get_docstring(node))
    found = [
        Finding(path, getattr(n, "lineno", 1), f"{_kind(n)} {getattr(n, 'name', '')} has no docstring", _kind(n))
        for path, n in bare
    ]
    return Counted({"undocumented": len(bare), "hollow": hollow, "public": len(nodes)}, found)


def _kind(node: Documented) -> str:
    return {"Module": "module", "ClassDef": "class"}.get(type(node).__name__, "function")


def _public(node: ast.AST) -> Iterator[Documented]:
    """What has a name without a leading underscore, but for what is inside functions."""
    if isinstance(node, ast.Module):
        yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and not child.name.startswith("_"):
            yield child
            if isinstance(child, ast.ClassDef):
                yield from _public(child)


def _is_hollow(node: Documented) -> bool:
    """A docstring of fewer than three words beyond the name itself."""
    name = set(re.findall(r"[a-z]+", getattr(node, "name", "").lower()))
    words = re.findall(r"[a-z]+", (ast.get_docstring(node) or "").lower())
    return len([word for word in words if word not in name]) < 3


def complexity(request: Request) -> Counted:
    """Python functions with more ways through them than `--over` (default 10), and how much they are above in all."""
    limit = int(request.get("over", 10))
    rows = [(path, node, _ways(node)) for path, tree in parsed(request).items() for node in _all_functions(tree)]
    least_one(len(rows), "no function was found", "name the folder that holds them")
    above = [(path, node, ways) for path, node, ways in rows if ways > limit]
    found = [
        Finding(p, n.lineno, f"{n.name} has complexity {ways}, over {limit}", "complexity") for p, n, ways in above
    ]
    excess = sum(ways - limit for _, _, ways in above)
    return Counted(
        {"complex": len(above), "excess": excess, "worst": max(r[2] for r in rows), "functions": len(rows)}, found
    )


def _all_functions(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def _ways(function: Function) -> int:
    """McCabe's number of one function, with nested ones as part of it."""
    ways = 1
    for node in ast.walk(function):
        if isinstance(node, ast.BoolOp):
            ways += len(node.values) - 1
        elif isinstance(node, _BRANCHES):
            ways += 1 + (len(node.ifs) if isinstance(node, ast.comprehension) else 0)
        elif type(node).__name__ == "match_case":
            ways += 1
    return ways


def duplicates(request: Request) -> Counted:
    """Lines that stand again elsewhere, in runs of `--least` (default 6) or more; blanks and indents do not count."""
    least = int(request.get("least", 6))
    endings = tuple(request.get("ending", [])) or (
        ".py",
        ".js",
        ".ts",
        ".tsx",
        ".jsx",
        ".go",
        ".rs",
        ".java",
        ".c",
        ".cpp",
        ".h",
        ".rb",
        ".php",
        ".cs",
    )
    files = {
        toolbox.relative(path, request.root): _solid(toolbox.read(path)) for path in toolbox.sources(request, *endings)
    }
    total = least_one(sum(map(len, files.values())), "no line was found", "name a folder with sources")
    windows: dict[tuple[str, ...], tuple[str, int]] = {}
    repeated: dict[tuple[str, int], tuple[str, int]] = {}
    for path, lines in files.items():
        for index in range(len(lines) - least + 1):
            first = windows.setdefault(tuple(text for _, text in lines[index : index + least]), (path, index))
            if first != (path, index):
                repeated.update({(path, index + step): (first[0], first[1] + step) for step in range(least)})
    return Counted({"duplicate_lines": len(repeated), "lines": total}, list(_runs(repeated, files)))


def _solid(text: str) -> list[tuple[int, str]]:
    """Number and stripped text of the lines that say something."""
    stripped = ((number, " ".join(line.split())) for number, line in enumerate(text.splitlines(), 1))
    return [(number, line) for number, line in stripped if not _TRIVIAL.match(line)]


def _runs(
    repeated: Mapping[tuple[str, int], tuple[str, int]], files: Mapping[str, Sequence[tuple[int, str]]]
) -> Iterator[Finding]:
    """One finding for each run of repeated lines."""
    begun = (place for place in sorted(repeated) if (place[0], place[1] - 1) not in repeated)
    for path, index in begun:
        size = next(n for n in range(1, len(files[path]) + 2) if (path, index + n) not in repeated)
        other, at = repeated[path, index]
        text = f"{size} lines as at {other}:{files[other][at][0]}"
        yield Finding(path, files[path][index][0], text, "duplicate")


def dependencies(request: Request) -> Counted:
    """Direct dependencies that the manifests name, and packages that the lock files pin in all."""
    direct: dict[str, str] = {}
    locked: set[str] = set()
    seen = False
    for folder in request.paths():
        for name, read in _MANIFESTS.items():
            if (folder / name).is_file():
                seen = True
                direct.update({item: toolbox.relative(folder / name, request.root) for item in read(folder / name)})
        for name, pattern in _LOCKS.items():
            locked |= (
                set(re.findall(pattern, toolbox.read(folder / name), re.MULTILINE))
                if (folder / name).is_file()
                else set()
            )
    if not seen:
        raise Refusal(f"no manifest here, expected one of {', '.join(_MANIFESTS)}; name the folder that holds it")
    found = [Finding(path, 0, name, "dependency") for name, path in direct.items()]
    return Counted({"dependencies": len(direct), **({"locked": len(locked)} if locked else {})}, found)


def _package_json(path: Path) -> list[str]:
    return sorted(_json_object(path).get("dependencies", {}))


def _json_object(path: Path) -> Any:
    try:
        return jsontext.loads(toolbox.read(path))
    except ValueError as error:
        raise Refusal(f"{path} is no JSON ({error}), expected a whole manifest; correct it") from None


def _requirements(path: Path) -> list[str]:
    lines = (line.split("#")[0].strip() for line in toolbox.read(path).splitlines())
    return sorted({_project(line) for line in lines if line and not line.startswith("-")})


def _project(requirement: str) -> str:
    """The normalised name of a requirement (PEP 503)."""
    name = re.match(r"[\w.-]+", requirement)
    return re.sub(r"[-_.]+", "-", name[0]).lower() if name else requirement


def _pyproject(path: Path) -> list[str]:
    """`project.dependencies`, and Poetry's table; read without a TOML parser, which Python before 3.11 lacks."""
    text = toolbox.read(path)
    section = re.search(r"^\[project\]\s*\n(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    listed = _DEPENDENCIES.search(section[1]) if section else None
    names = re.findall(r"""["']([A-Za-z0-9][^"']*)["']""", re.sub(r"#.*", "", listed[1])) if listed else []
    poetry = re.search(r"^\[tool\.poetry\.dependencies\]\s*\n(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    more = re.findall(r"^([\w.-]+)\s*=", poetry[1], re.MULTILINE) if poetry else []
    return sorted({_project(name) for name in [*names, *more] if name.lower() != "python"})


def _setup_cfg(path: Path) -> list[str]:
    import configparser

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(toolbox.read(path))
    except configparser.Error as error:
        raise Refusal(f"{path} is not understood ({error}), expected a whole manifest; correct it") from None
    listed = parser.get("options", "install_requires", fallback="")
    return sorted({_project(line.strip()) for line in listed.splitlines() if line.strip()})


def _cargo(path: Path) -> list[str]:
    text = toolbox.read(path)
    tables = re.findall(r"^\[(?:workspace\.)?dependencies\]\s*\n(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"^\[dependencies\.([\w-]+)\]", text, re.MULTILINE)
    return sorted(
        {*inline, *(name for table in tables for name in re.findall(r"^([\w-]+)\s*[=.]", table, re.MULTILINE))}
    )


def _go_mod(path: Path) -> list[str]:
    rows = re.findall(r"^\s*(?:require\s+)?([\w./~-]+\.[\w./~-]+) v\S+(.*)$", toolbox.read(path), re.MULTILINE)
    return sorted({name for name, comment in rows if "indirect" not in comment})


_MANIFESTS = {
    "package.json": _package_json,
    "pyproject.toml": _pyproject,
    "setup.cfg": _setup_cfg,
    "requirements.txt": _requirements,
    "Cargo.toml": _cargo,
    "go.mod": _go_mod,
}
_LOCKS = {
    "package-lock.json": r'^\s{4}"node_modules/([^"]+)": \{',
    "yarn.lock": r'^"?(@?[^@\s"]+)@',
    "poetry.lock": r'^name = "([^"]+)"',
    "uv.lock": r'^name = "([^"]+)"',
    "Cargo.lock": r'^name = "([^"]+)"',
    "go.sum": r"^(\S+) v\S+ h1:",
}
