"""Go modules and crates that a project names and that are not on this machine: told by reading alone, for the tools
would ask the network for them, at length where there is none."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ..checks import toolbox, toolplace
from ..kernel.core.frozen import dataclass
from ..kernel.core.text import listing
from .surroundings import Project

GO, CARGO = "go mod download", "cargo fetch"
# What a look gives the tools, so that nothing is fetched before the user agrees, and none waits for a network.
OFFLINE = {"GOPROXY": "off", "GOTOOLCHAIN": "local", "CARGO_NET_OFFLINE": "true", "npm_config_offline": "true"}
_REQUIRE = re.compile(r"^(?:require\s+|\t| +)([\w.~/-]+\.[\w.~/-]+) (v\S+)[ \t]*(// indirect)?", re.MULTILINE)
_REPLACED = re.compile(r"^(?:replace\s+|\t| +)([\w.~/-]+)(?: v\S+)? => \.", re.MULTILINE)
_IMPORT = re.compile(r'^(?:import)?[ \t]+(?:[\w.]+[ \t]+)?"([^"\n]+)"', re.MULTILINE)
_TABLE = re.compile(
    r"^\[(?:target\.[^\n]+\.)?((?:dev-|build-)?dependencies)(?:\.([\w-]+))?\]\s*\n((?:(?!\[)[^\n]*\n?)*)", re.MULTILINE
)
_CRATE = re.compile(r"^([\w-]+)\s*(?:\.\w+\s*)?=\s*([^\n]*)$", re.MULTILINE)
_IGNORED = re.compile(r"^//(?:go:build| \+build) ignore\b", re.MULTILINE)
_ELSE = "leave INSTALL out, with --guard '' where the tests cannot run"
_RENAMED = re.compile(r"\bpackage\s*=\s*\"([\w-]+)\"")


def named(command: str) -> str:
    """What a command of these fetches, in words; "" for another command."""
    if command.endswith(CARGO):
        return "the crates that Cargo.toml names"
    if command.startswith("go install "):
        return command.partition("@")[0].rpartition("/")[2]
    return "the modules that go.mod names" if command == GO else ""


@dataclass(frozen=True)
class Fetched:
    """What the program and what only its tests need and is not here, the command that fetches it, one line on what
    works without it, and the packages of Go that need nothing of it."""

    program: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    command: str = ""
    free: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """What is not here and what works all the same; "" where nothing is missing."""
        if not self.command:
            return ""
        missing = listing([*self.program, *self.tests], 3)
        without = f"(no network? {_ELSE}); without them"
        whose = "" if self.program else ", for tests alone"
        if self.command.endswith(CARGO):
            rest = "cargo check --offline may" if not self.program else "nothing that compiles does"
            return f"crates {missing}{whose} {without} clippy and cargo test give no number, {rest}, duplicates does"
        vet = f"go vet of {' '.join(self.free[:4])}, " if self.free else ""
        call = "" if self.program else "gobench of a call, "
        return f"Go modules {missing}{whose} {without} go test and go vet of all fail; {vet}{call}duplicates work"


def of(project: Project) -> Fetched:
    """What is missing of a Go or Rust project; nothing for others, and where packages come from a folder."""
    if "Go" in project.sources and project.has("go.mod"):
        return _go(project)
    return _rust(project) if "Rust" in project.sources and project.has("Cargo.toml") else Fetched()


def _go(project: Project) -> Fetched:
    text = project.text("go.mod")
    gone = [name for name, version in _required(text) if not _module_path(name, version).is_dir()]
    if not gone or (project.root / "vendor/modules.txt").is_file():
        return Fetched()
    own = (re.findall(r"^module\s+(\S+)", text, re.MULTILINE) or [""])[0]
    others = tuple(name[: -len("go.mod")] for name in project.files if name.endswith("/go.mod"))  # modules of their own
    mine = [name for name in project.files if name.endswith(".go") and not (others and name.startswith(others))]
    texts = {name: toolbox.read(project.root / name) for name in mine}
    imports = {name: _IMPORT.findall(text) for name, text in texts.items() if not _IGNORED.search(text)}
    program = _used(gone, (paths for name, paths in imports.items() if not name.endswith("_test.go")))
    tests = _used(gone, (paths for name, paths in imports.items() if name.endswith("_test.go")))
    if not program and not tests:
        return Fetched()
    # Before Go 1.17 the go.mod of each module is read first, whatever a package imports.
    since = re.search(r"^go 1\.(\d+)", text, re.MULTILINE)
    free = tuple(_free(imports, gone, own)) if since and int(since[1]) >= 17 else ()
    return Fetched(program, tuple(n for n in tests if n not in program), GO, free)


def _required(text: str) -> Iterator[tuple[str, str]]:
    replaced = set(_REPLACED.findall(text))
    yield from ((name, version) for name, version, _ in _REQUIRE.findall(text) if name not in replaced)


def _module_path(name: str, version: str) -> Path:
    """Where a module lies once it is fetched; capitals are written as `!c`."""
    home = os.environ.get("GOMODCACHE") or os.path.join(os.environ.get("GOPATH") or Path.home() / "go", "pkg/mod")
    return Path(home, re.sub(r"[A-Z]", lambda found: f"!{found[0].lower()}", f"{name}@{version}"))


def _used(modules: Iterable[str], imports: Iterable[Iterable[str]]) -> tuple[str, ...]:
    paths = {path for each in imports for path in each}
    return tuple(name for name in modules if any(_is_of(path, name) for path in paths))


def _is_of(path: str, module: str) -> bool:
    return path == module or path.startswith(f"{module}/")


def _free(imports: Mapping[str, Iterable[str]], gone: Iterable[str], own: str) -> Iterator[str]:
    """Folders whose files, tests too, import nothing of the missing, nor a package of the project that does."""
    by_folder: dict[str, set[str]] = {}
    for name, paths in imports.items():
        by_folder.setdefault(name.rpartition("/")[0], set()).update(paths)
    tainted = {folder for folder, paths in by_folder.items() if _used(gone, [paths])}
    while more := {
        folder
        for folder, paths in by_folder.items()
        if folder not in tainted and any(f"{own}/{other}".rstrip("/") in paths for other in tainted)
    }:
        tainted |= more
    yield from (f"./{folder}" for folder in sorted(set(by_folder) - tainted))


def _rust(project: Project) -> Fetched:
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    settings = [place / name for place in (home, project.root / ".cargo") for name in ("config", "config.toml")]
    if any("replace-with" in toolbox.read(path) for path in settings if path.is_file()):
        return Fetched()
    here = {path.name.rpartition("-")[0] for path in home.glob("registry/cache/*/*.crate")}
    manifests = [toolbox.read(project.root / name) for name in project.files if name.endswith("Cargo.toml")]
    asked = [found for text in manifests for found in _crates(text)]
    program = tuple(dict.fromkeys(name for kind, name in asked if kind != "dev-dependencies" and name not in here))
    tests = dict.fromkeys(name for kind, name in asked if kind == "dev-dependencies" and name not in here)
    if not program and not tests:
        return Fetched()
    lock = "" if (project.root / "Cargo.lock").exists() else toolplace.hidden(project.root, "Cargo.lock")
    return Fetched(program, tuple(n for n in tests if n not in program), f"{lock}{CARGO}")


def _crates(text: str) -> Iterator[tuple[str, str]]:
    """The tables and names of crates that come from a registry: none with a path, of git or of the workspace."""
    for kind, one, body in _TABLE.findall(text):
        rows = [(one, body)] if one else _CRATE.findall(body)
        for name, value in rows:
            if not re.search(r"\b(?:path|git|workspace)\s*=|^\s*true", value):
                renamed = _RENAMED.search(value)
                yield kind, renamed[1] if renamed else name
