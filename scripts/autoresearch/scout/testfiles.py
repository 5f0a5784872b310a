"""Which files are tests: what the runners take by their own rules, and nothing that the program itself imports."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from ..checks import toolbox
from ..kernel.core import jsontext
from ..kernel.core.frozen import dataclass

_FILE = re.compile(
    r"(?:^|/)(?:test_[^/]*|[^/]*_test|tests)\.py$|_test\.go$|\.(?:test|spec)\.\w+$|(?:^|/)__tests__/"
    r"|_(?:test|spec)\.rb$|Tests?\.(?:java|kt|cs|php)$"
)
_FOLDERS = ("test", "tests", "__tests__", "spec", "specs", "testing")
_WHOLE = re.compile(r"[^/]*\.(?:[cm]?[jt]sx?|rs)$")  # mocha and cargo take every file of a folder named test(s)
_PY = re.compile(
    r"^[ \t]*(?:from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n#;]+)|import[ \t]+([^\n#;]+))", re.MULTILINE
)
_JS = re.compile(r"""(?:\bfrom|\brequire\(|\bimport\(?)\s*["']([^"'\n]+)["']""")
_ALIAS = re.compile(r"(?:[@~#]|\$\w+|src)/")  # how bundlers' settings shorten the folder of sources
_CFG_TEST = re.compile(r"#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*;")
_OWN = re.compile(r"(?:packages|libs|crates|modules|apps)/[\w-]+$")  # a package of a workspace, whatever its name
_GO = re.compile(r'^\s*(?:import\s+)?(?:[\w.]+\s+)?"([^"\s]+/[^"\s]+)"', re.MULTILINE)
_PROGRAM = (".py", ".go", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".mts", ".cts", ".vue", ".svelte")
_MOST = 1500  # files of the program that are read
_PLACES = 4  # folders and patterns that are told


@dataclass(frozen=True)
class TestFiles:
    """The files, and the folders that hold nothing else."""

    names: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()

    def places(self, files: Iterable[str], aside: re.Pattern[str]) -> tuple[str, ...]:
        """Folders, and patterns for tests among the sources, with `!path` for what of the program they match too;
        none for what lies `aside`."""
        found: dict[str, None] = {}
        for name in files:
            if name in self.names and not aside.search(name):
                folder = next(filter(self.folders.__contains__, _above(name)), "")
                whole = "**/__tests__/**" if "__tests__" in folder else f"{folder}/**"
                found[whole if folder else f"**/{_among(name)}"] = None
        kept = tuple(found)[:_PLACES]
        plain = [re.compile(_glob(place)) for place in kept if place.startswith("**/") and not place.endswith("/**")]
        spared = (name for name in files if name not in self.names and any(p.fullmatch(_base(name)) for p in plain))
        return (*kept, *(f"!{name}" for name in spared))


def of(root: Path, files: Collection[str]) -> TestFiles:
    """The tests of a project; what the program imports is no test, whatever its name."""
    named = {name for name in files if _FILE.search(name)} | set(_of_rust(root, files))
    folders = {folder for name in files for folder in _above(name)}
    held = {folder for folder in folders if _is_run(folder, files, named)}
    found = _found(files, named, held)
    while reached := _imported(root, files, found.names):
        named -= reached
        held = {folder for folder in held if not any(name.startswith(f"{folder}/") for name in reached)}
        found = _found(files, named, held)
    return found


def _found(files: Iterable[str], named: Collection[str], held: Collection[str]) -> TestFiles:
    names = (name for name in files if name in named or any(folder in held for folder in _above(name)))
    return TestFiles(frozenset(names), frozenset(held))


def _above(name: str) -> Iterator[str]:
    """The folders above a file that are named as tests are, outermost first."""
    parts = name.split("/")
    return ("/".join(parts[: at + 1]) for at, part in enumerate(parts[:-1]) if part in _FOLDERS)


def _is_run(folder: str, files: Iterable[str], named: Collection[str]) -> bool:
    """Whether a runner looks into a folder of that name."""
    above, _, last = folder.rpartition("/")
    if _OWN.match(folder) and any(f"{folder}/{name}" in files for name in ("package.json", "Cargo.toml", "go.mod")):
        return False
    inside = [name[len(folder) + 1 :] for name in named if name.startswith(f"{folder}/")]
    if last == "testing":  # as often helpers that are shipped: tests lie in it directly
        return any("/" not in name and not name.endswith(".go") for name in inside)
    below = [name[len(folder) + 1 :] for name in files if name.startswith(f"{folder}/")]
    if last in ("spec", "specs"):  # as often a specification, or the package that reads one
        return any(not name.endswith(".go") for name in inside)
    if any(name.endswith(".go") for name in below) and not inside:  # go test takes `_test.go` alone
        return False
    if any(name.endswith(".rs") for name in below) and not inside:  # cargo takes the folder beside its manifest
        return last == "tests" and "src" not in above.split("/")
    if not above or last == "__tests__" or (last == "test" and _base(above) == "src") or inside:
        return True
    return last in ("test", "tests") and any(map(_WHOLE.match, below))


def _of_rust(root: Path, files: Collection[str]) -> Iterator[str]:
    """The modules of Rust that are compiled for tests alone."""
    for name in files:
        text = toolbox.read(root / name) if name.endswith(".rs") and (root / name).is_file() else ""
        stem = name.removesuffix(".rs")
        place = posixpath.dirname(name) if _base(stem) in ("lib", "main", "mod") else stem
        for module in _CFG_TEST.findall(text):
            start = f"{place}/{module}".lstrip("/")
            yield from (path for path in files if path == f"{start}.rs" or path.startswith(f"{start}/"))


def _among(name: str) -> str:
    """A pattern for the name of a test that lies among the sources."""
    base = _base(name)
    match = re.search(r"(_(?:test|spec)\.\w+|\.(?:test|spec)\.\w+|Tests?\.\w+)$", base)
    return f"*{match[1]}" if match else "test_*.py" if re.match(r"test_.*\.py$", base) else base


def _base(name: str) -> str:
    return name.rpartition("/")[2]


def _glob(place: str) -> str:
    return re.escape(_base(place)).replace(r"\*", "[^/]*")


def _imported(root: Path, files: Collection[str], tests: Collection[str]) -> set[str]:
    """The tests by name that the rest of the files imports."""
    found: set[str] = set()
    program = [name for name in files if name not in tests and name.endswith((*_PROGRAM, "package.json"))]
    for name in program[:_MOST]:
        text = toolbox.read(root / name) if (root / name).is_file() else ""
        if "test" in text or "spec" in text:
            found.update(_reached(name, text, tests))
    return found


def _reached(name: str, text: str, tests: Collection[str]) -> Iterator[str]:
    if name.endswith(".py"):
        wanted = {f"{start}{module}" for module in _modules(name, text) for start in _starts(name)}
        yield from (t for t in tests if t.endswith(".py") and _module(t) in wanted)
    elif name.endswith(".go"):
        ends = {f"/{path}" for path in _GO.findall(text)}
        folders = {t: t.rpartition("/")[0] for t in tests if t.endswith(".go") and "/" in t}
        yield from (t for t, folder in folders.items() if any(end.endswith(f"/{folder}") for end in ends))
    else:
        manifest = _base(name) == "package.json"
        places = _offered(text) if manifest else _JS.findall(text)
        near = [posixpath.join(posixpath.dirname(name), path) for path in places if manifest or path[:1] == "."]
        plain = {_unended(posixpath.normpath(path)) for path in near}
        far = tuple(_unended(path[path.index("/") :]) for path in places if _ALIAS.match(path))
        yield from (t for t in tests if any(s in plain or f"/{s}".endswith(far) for s in _stems(t)))


def _stems(path: str) -> set[str]:
    """What an import writes of a file: its path without its ending, or its folder where it is the index."""
    stem = _unended(path)
    return {stem, *([posixpath.dirname(path)] if _base(stem) == "index" else [])}


def _unended(path: str) -> str:
    """A path without the ending of a script: TypeScript imports `x.ts` as `x.js`."""
    return re.sub(r"\.[cm]?[jt]sx?$", "", path)


def _offered(manifest: str) -> list[str]:
    """The files that a package.json offers to users."""
    try:
        found = jsontext.loads(manifest)
        given = {key: found.get(key) for key in ("exports", "main", "module", "types", "typings", "source", "bin")}
    except (ValueError, AttributeError):
        return []
    return re.findall(r'"((?:\./)?[\w@./-]+\.[cm]?[jt]sx?)"', jsontext.dumps(given))


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _starts(name: str) -> Iterator[str]:
    """What may stand before the path of an absolute import: nothing, or the folder of sources that a file lies in."""
    yield ""
    first, cut, _ = name.partition("/")
    if cut and first in ("src", "lib"):
        yield f"{first}."


def _modules(name: str, text: str) -> Iterator[str]:
    """The modules, and names in them, that a file imports."""
    folder = name.split("/")[:-1]
    for base, names, plain in _PY.findall(text):
        yield from re.findall(r"[\w.]+", re.sub(r"\bas\s+\w+", "", plain))
        if base:
            dots = len(base) - len(base.lstrip("."))
            start = ".".join(filter(None, [*folder[: len(folder) + 1 - dots], base.lstrip(".")])) if dots else base
            yield start
            yield from (f"{start}.{part}" for part in re.findall(r"\w+", re.sub(r"\bas\s+\w+", "", names)))
