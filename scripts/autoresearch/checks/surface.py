"""The public interface of a library, and what of it changed since a commit: what its users would notice."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..kernel.core.errors import Refusal
from . import reference, shape, toolbox, tstypes
from .counted import Counted, Finding, least_one
from .toolbox import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]
    Surface = dict[str, tuple[Finding, str]]


def interface(request: Request) -> Counted:
    """Public names with their signatures or declared types. With `--against REV`: how many are gone or declared
    otherwise since (`changed`); what is new harms nobody."""
    read = _typescript if _is_typescript(request) else _python
    now = read(request, request.root)
    least_one(len(now), "nothing public was found", "name the package or the folder of the sources")
    note = f"held: {_held(request)}; all else may change"
    revision = request.options.get("against")
    if not revision:
        return Counted({"public": len(now)}, [finding for finding, _ in now.values()], (note,))
    before = read(request, reference.copy(request, str(revision)))
    changed = list(_changes(before, now))
    added = len(set(now) - set(before))
    return Counted({"changed": len(changed), "added": added, "public": len(now)}, changed, (note,))


def _held(request: Request) -> str:
    """What the check compares, in words."""
    if not _is_typescript(request):
        packages = _offered(request.root, request.operands)
        what = (
            f"what {', '.join(packages)}/__init__.py offers"
            if packages
            else "what modules without an underscore define"
        )
        return f"names and signatures (no annotations) of {what}"
    entry = tstypes.entries(request.root)
    return f"names and declared types of what {', '.join(entry[:3]) or 'any source file'} exports"


def _changes(before: Surface, now: Surface) -> Iterator[Finding]:
    for name, (place, text) in before.items():
        if name not in now:
            yield Finding(place.path, place.line, f"{name.partition(' ')[2]} is gone, it was: {text}", "gone")
        elif not compatible(text, now[name][1]):
            found = now[name][0]
            yield Finding(
                found.path, found.line, f"{name.partition(' ')[2]} was: {text}; is: {now[name][1]}", "changed"
            )


def compatible(before: str, after: str) -> bool:
    """Whether users of one declaration are content with the other: it is the same, or a Python signature that only
    gained annotations or parameters with defaults at its end."""
    if before == after:
        return True
    (kind, old), (other, new) = _arguments(before), _arguments(after)
    return kind == other and old is not None and new is not None and _accepts(old, new)


def _arguments(text: str) -> tuple[str, ast.arguments | None]:
    """The decorator of a Python signature and its parameters; None for any other declaration."""
    kind, found, rest = text.partition("def ")
    try:
        node = (
            ast.parse(f"def {rest}: pass").body[0]
            if found and kind in ("", "@classmethod ", "@staticmethod ")
            else None
        )
    except SyntaxError:
        node = None
    return kind, node.args if isinstance(node, ast.FunctionDef) else None


def _accepts(old: ast.arguments, new: ast.arguments) -> bool:
    """Whether every call that fitted the old parameters fits the new ones, the defaults being the same."""
    was, now = _positional(old), _positional(new)
    named, names = _keyword_only(old), _keyword_only(new)
    more = [default for _, default in now[len(was) :]]
    same = all(a == b for a, b in zip(was, now)) and len(now) >= len(was) and None not in more
    extra = all(default is not None for name, default in names.items() if name not in named)
    kept = all(names.get(name, "") == default for name, default in named.items())
    stars = (not old.vararg or bool(new.vararg)) and (not old.kwarg or bool(new.kwarg))
    return same and extra and kept and stars and not (more and old.vararg)


def _positional(args: ast.arguments) -> list[tuple[str, str | None]]:
    """Names with the text of their defaults, None for those that must be given; a positional-only one has no name."""
    every = [*(("/", arg) for arg in args.posonlyargs), *((arg.arg, arg) for arg in args.args)]
    defaults = [None] * (len(every) - len(args.defaults)) + [ast.dump(default) for default in args.defaults]
    return [(name, default) for (name, _), default in zip(every, defaults)]


def _keyword_only(args: ast.arguments) -> dict[str, str | None]:
    return {a.arg: ast.dump(d) if d is not None else None for a, d in zip(args.kwonlyargs, args.kw_defaults)}


def _is_typescript(request: Request) -> bool:
    paths = request.paths()
    return any(p.suffix in (".ts", ".tsx") for p in paths) or not any(
        p.suffix == ".py" or any(p.rglob("*.py")) for p in paths
    )


def _python(request: Request, folder: Path) -> Surface:
    inside = Request(folder, tuple(name for name in request.operands if (folder / name).exists()), request.options)
    if not inside.operands and request.operands:
        raise Refusal(f"{' '.join(request.operands)} was not there at that commit, expected it; name what was")
    found: Surface = {}
    packages = _offered(folder, request.operands)
    for path, tree in shape.parsed(inside).items():
        offered = next((names for top, names in packages.items() if path.startswith(f"{top}/")), None)
        aside = r"tests?/|test_|conftest|setup\.py" + ("" if offered else r"|_(?!_init__)")
        if not re.search(rf"(?:^|/)(?:{aside})", path):
            found.update(_module(path, tree, offered))
    return found


def _offered(folder: Path, operands: Sequence[str]) -> dict[str, set[str]]:
    """The names that each package's own `__init__` takes from its modules, by the package; without a package that
    offers any such names nothing, for then its users name the modules."""
    found = {}
    for name in operands:
        path = folder / name / "__init__.py"
        tree = _parsed(path)
        names = {
            alias.asname or alias.name
            for node in (_statements(tree.body) if tree else ())
            if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith(Path(name).name))
            for alias in node.names
        }
        stars = names & {"*"}
        named = {one for one in names if not one.startswith("_") and not _is_module(path.parent, one)}
        if named and not stars:
            found[name] = named
    return found


def _is_module(package: Path, name: str) -> bool:
    return (package / f"{name}.py").is_file() or (package / name / "__init__.py").is_file()


def _parsed(path: Path) -> ast.Module | None:
    try:
        return ast.parse(toolbox.read(path))
    except (OSError, SyntaxError, ValueError):
        return None


def _module(path: str, tree: ast.Module, offered: set[str] | None) -> Iterator[tuple[str, tuple[Finding, str]]]:
    """Names that a module offers: those that its package's `__init__` takes, else those in `__all__`, or defined here
    without an underscore."""
    listed = _all_names(tree)
    if offered is not None and not path.endswith("/__init__.py"):
        listed = offered
    for name, node, text in _members(tree, ""):
        top = name.partition(".")[0]
        plain = not any(part.startswith("_") for part in _plain(name))
        inside = top in listed and (name == top or plain) if listed is not None else plain
        if inside:
            yield f"{path} {name}", (Finding(path, node.lineno, text, "public"), text)
    for name in (listed or ()) if listed is not offered else ():
        yield f"{path} __all__ {name}", (Finding(path, 1, f"__all__ names {name}", "public"), name)


def _plain(name: str) -> list[str]:
    """The parts of a dotted name, `__init__` and its like left out: they are called, not named."""
    return [part for part in name.split(".") if not (part.startswith("__") and part.endswith("__"))]


def _all_names(tree: ast.Module) -> set[str] | None:
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            value = getattr(node, "value", None)
            if isinstance(value, (ast.List, ast.Tuple)):
                return {str(item.value) for item in value.elts if isinstance(item, ast.Constant)}
    return None


def _members(node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[str, ast.stmt, str]]:
    """Dotted name, statement and declaration of functions, classes and assigned names, those in branches too."""
    for child in _statements(node.body):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield prefix + child.name, child, _signature(child)
        elif isinstance(child, ast.ClassDef):
            bases = ", ".join(ast.unparse(base) for base in child.bases)
            yield prefix + child.name, child, f"class {child.name}({bases})"
            yield from _members(child, f"{prefix}{child.name}.")
        elif isinstance(child, (ast.Assign, ast.AnnAssign)):
            targets = child.targets if isinstance(child, ast.Assign) else [child.target]
            yield from ((prefix + t.id, child, t.id) for t in targets if isinstance(t, ast.Name) and t.id != "__all__")


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for child in body:
        if isinstance(child, (ast.If, ast.Try)):
            yield from _statements([*child.body, *child.orelse])
            yield from (s for handler in getattr(child, "handlers", []) for s in _statements(handler.body))
        else:
            yield child


def _signature(node: Function) -> str:
    """`def name(parameters)` without annotations, on which no call depends, after a decorator that changes calls."""
    import copy

    bare = copy.deepcopy(node.args)
    for arg in ast.walk(bare):
        if isinstance(arg, ast.arg):
            arg.annotation = None
    marks = [ast.unparse(d) for d in node.decorator_list]
    kind = next((f"@{mark} " for mark in marks if mark in ("property", "classmethod", "staticmethod")), "")
    return f"{kind}def {node.name}({ast.unparse(bare)})"


def _typescript(request: Request, folder: Path) -> Surface:
    asked = Request(folder, request.operands, {**request.options, "exports": True})
    rows = tstypes.ask(asked, folder, implicit=False)["exports"]
    found: Surface = {}
    for path, name, text in rows:
        place = toolbox.relative(path, folder)
        key = f"{place} {name}"
        found[key] = (Finding(place, 0, text, "public"), found[key][1] + " " + text if key in found else text)
    return found
