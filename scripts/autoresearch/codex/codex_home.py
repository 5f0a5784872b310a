"""What lies on disk for Codex: its settings, its sign-in, hooks, and every skill that a repository can see."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..kernel.disk import regular
from ..kernel.system import gitfiles
from . import skill_file, toml_text
from .skill_file import Skill

_DEPTH = 6  # folders below a root in which Codex looks
_MACHINE = Path("/etc/codex/skills")


def home() -> Path:
    """$CODEX_HOME, `~/.codex` unless set."""
    return Path(os.environ.get("CODEX_HOME") or Path(os.path.expanduser("~")) / ".codex")


def settings() -> tuple[Mapping[str, Any], str]:
    """config.toml as tables (empty when there is none), and why it cannot be read; then what can be read of it."""
    text = ""
    try:
        text = regular.read_text(home() / "config.toml")
        return toml_text.parse(text), ""
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError) as error:
        return toml_text.lenient(text), str(error)


def config_path() -> Path:
    """The settings file."""
    return home() / "config.toml"


def trusts(found: Mapping[str, Any], root: Path) -> bool:
    """Whether Codex trusts the project."""
    return trust_level(found, root) == "trusted"


def trust_level(found: Mapping[str, Any], root: Path) -> str:
    """What is noted of the project, "" for nothing: its own folder decides, then the checkout of a linked worktree."""
    projects = found.get("projects")
    known = projects if isinstance(projects, dict) else {}
    entries = (known.get(str(place)) for place in (root, root.resolve(), _main_checkout(root)))
    return next((str(entry.get("trust_level", "")) for entry in entries if isinstance(entry, dict)), "")


def _main_checkout(root: Path) -> Path:
    top = gitfiles.find_top(root.absolute())
    return gitfiles.common_dir(gitfiles.git_dir(top)).parent if top else root


def hook_states(found: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What Codex notes of each hook by its key: `trusted_hash`, and `enabled` where it was switched off."""
    hooks_table = found.get("hooks")
    state = hooks_table.get("state") if isinstance(hooks_table, dict) else None
    return {key: entry for key, entry in state.items() if isinstance(entry, dict)} if isinstance(state, dict) else {}


def runs_hooks(found: Mapping[str, Any]) -> bool:
    """Whether Codex runs hooks at all with these settings."""
    named = _features(found)
    return named.get("hooks", named.get("codex_hooks")) is not False  # the second is its earlier name


def _features(found: Mapping[str, Any]) -> Mapping[str, Any]:
    features = found.get("features")
    return features if isinstance(features, dict) else {}


def in_force(found: Mapping[str, Any], root: Path) -> Mapping[str, Any]:
    """The settings with those of the project over them, which Codex reads where it trusts the project."""
    return _over(found, project_settings(root)) if trusts(found, root) else found


def project_settings(root: Path) -> Mapping[str, Any]:
    """The project's own settings, empty where there are none; with such as are no TOML Codex does not start."""
    path = root / ".codex" / "config.toml"
    try:  # of a home that is the project itself they are the user's
        return {} if path.resolve() == config_path().resolve() else toml_text.parse(regular.read_text(path))
    except (OSError, ValueError):
        return {}


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Tables merged, the upper values winning."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _over(under, value) if isinstance(value, dict) and isinstance(under, dict) else value
    return merged


def grants_git(found: Mapping[str, Any], folders: Collection[str], within: bool) -> bool:
    """Whether what is in force lets all of Git's folders here be written: by a permission profile, which names .git of
    the workspace (where that is the folder, `within`) or the folders, or by the sandbox's writable roots."""
    written: set[str] = set()
    inner = ""
    for place, access in _accesses(found):
        (written.add if access == "write" else written.discard)(os.path.realpath(place))
        inner = str(access.get(".git") or inner) if place == ":workspace_roots" and isinstance(access, dict) else inner
    if not found.get("default_permissions"):
        table = found.get("sandbox_workspace_write")
        roots = table.get("writable_roots") if isinstance(table, dict) else None
        written.update(os.path.realpath(str(root)) for root in (roots if isinstance(roots, list) else ()))
    return (inner == "write" and within) or written.issuperset(map(os.path.realpath, folders))


def _profiles(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The permission profile in force and those that it extends, the nearest first."""
    profiles, name = found.get("permissions"), str(found.get("default_permissions", ""))
    known = profiles if isinstance(profiles, dict) else {}
    chain: list[Mapping[str, Any]] = []
    while isinstance(known.get(name), dict) and len(chain) < len(known):
        chain.append(known[name])
        name = str(known[name].get("extends") or "")
    return chain


def _accesses(found: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Places and what the permission profile in force allows there, what it extends first."""
    tables = [profile.get("filesystem") for profile in reversed(_profiles(found))]
    return [pair for table in tables if isinstance(table, dict) for pair in table.items()]


def sandbox(found: Mapping[str, Any]) -> str:
    """The sandbox that the settings name, "" for none: of a permission profile, what it allows with what it extends."""
    chain, told = _profiles(found), _accesses(found)
    if not chain:
        return str(found.get("default_permissions") or found.get("sandbox_mode", "")).lstrip(":")
    if (":root", "write") in told:
        return "danger-full-access"
    base = str(chain[-1].get("extends") or "read-only").lstrip(":")
    writes = any("write" in (access.values() if isinstance(access, dict) else (access,)) for _, access in told)
    return "workspace-write" if base == "read-only" and writes else base


def skills(root: Path, is_git: bool) -> tuple[Skill, ...]:
    """Every skill that Codex sees from `root`, those that it cannot load included; links to one folder count once."""
    user = Path(os.path.expanduser("~"))
    roots = [root / ".agents" / "skills", user / ".agents" / "skills", home() / "skills", _MACHINE]
    if is_git:
        roots.insert(1, root / ".codex" / "skills")
    found: dict[str, Skill] = {}
    for path in (path for folder in roots for path in _files(folder, _DEPTH)):
        try:
            found.setdefault(os.path.realpath(path.parent), skill_file.read(str(path.parent), path.read_bytes()))
        except OSError:
            continue
    return tuple(found.values())


def plugin_skills(found: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The folders of a skill that the plugin of its own name brings, where that is installed and switched on."""
    plugins = found.get("plugins")
    entries = plugins.items() if isinstance(plugins, dict) and _features(found).get("plugins") is not False else ()
    places = [key.partition("@") for key, entry in entries if isinstance(entry, dict) and entry.get("enabled") is True]
    cache = home() / "plugins" / "cache"
    files = [
        path for plugin, _, market in places if plugin == name for path in cache.glob(f"{market}/{name}/*/skills/*")
    ]
    return tuple(str(path) for path in files if (path / "SKILL.md").is_file())


def skill_names(name: str, copies: Iterable[str]) -> set[str]:
    """What a skill goes by in the settings: its name, and the paths of its file: as it is, real, below "~"."""
    files = [os.path.join(copy, "SKILL.md") for copy in copies]
    user = os.path.expanduser("~") + os.sep
    short = [f"~/{path[len(user) :]}" for path in files if path.startswith(user)]
    return {name, *files, *short, *map(os.path.realpath, files)}


def _files(folder: Path, depth: int) -> Iterator[Path]:
    """The SKILL.md files at and below `folder`: dotted names are passed over, linked folders followed."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name == "SKILL.md" and entry.is_file(follow_symlinks=False):
            yield Path(entry.path)
        elif depth and not entry.name.startswith(".") and entry.is_dir():
            yield from _files(Path(entry.path), depth - 1)
