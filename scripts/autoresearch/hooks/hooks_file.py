"""Installing, removing and showing the Codex hooks that keep a foreground run going."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from ..cli.own_copy import in_plugin
from ..codex import codex_home
from ..kernel.core import choices, jsontext
from ..kernel.core.errors import Refusal
from ..kernel.disk import atomic, regular
from ..kernel.disk.layout import installed
from ..kernel.system.git import Repo
from . import hook_entries

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

FOLDER = ".codex"
NAME = "hooks.json"
SCRIPT = installed() / "scripts" / "autoresearch_hooks_ctl.py"


_NONE = "hooks are switched off in Codex altogether: codex features enable hooks"


def path_of(root: Path, scope: str) -> Path:
    """The hooks file of the project `root`, or the user's."""
    return (root / FOLDER if scope == "project" else codex_home.home()) / NAME


def install(root: Path, scope: str) -> dict[str, Any]:
    """Add our hooks, or bring them up to date; raises `Refusal` for a file that cannot be read or written."""
    if in_plugin():
        raise Refusal("this skill is a plugin, which brings its hooks, expected no second ones; trust those in codex")
    path = path_of(root, scope)
    before = _read(path)
    after = hook_entries.merged(before, sys.executable, str(SCRIPT))
    note = _hide(root) if scope == "project" else ""
    if after != before:
        _write(path, after)
    return {**status(root, scope), "changed": after != before, **({"note": note} if note else {})}


def uninstall(root: Path, scope: str) -> dict[str, Any]:
    """Remove our hooks; a file or folder that then holds nothing goes too."""
    path = path_of(root, scope)
    before = _read(path)
    after = hook_entries.without(before)
    if after != before:
        _write(path, after) if after else _remove(path)
    return {**status(root, scope), "changed": after != before}


def status(root: Path, scope: str) -> dict[str, Any]:
    """What is installed, and whether Codex will run it; the hooks of a plugin where that is all there is."""
    path, scope, key = _place(root, scope)
    settings, _ = codex_home.settings()
    document = _read(path)
    found = hook_entries.trust(document, key, codex_home.hook_states(settings))
    ignored = scope == "project" and not codex_home.trusts(settings, root)
    runs = codex_home.runs_hooks(codex_home.in_force(settings, root))
    return {
        "scope": scope,
        "path": str(path),
        "installed": hook_entries.ABSENT not in found.values(),
        "hooks": found,
        "active": runs and not ignored and set(found.values()) == {hook_entries.TRUSTED},
        "ignored": ignored,
        "commands": hook_entries.commands(document),
        "message": _advice(found, ignored) if runs else _NONE,
    }


def seconds(root: Path) -> float:
    """How long Codex lets our Stop hook run, as the files say in which it may be installed."""
    known = [_seconds(_place(root, scope)[0]) for scope in choices.HOOK_SCOPES]
    return min(filter(None, known), default=float(hook_entries.EVENTS["stop"][1]))


def _seconds(path: Path) -> float:
    try:
        return hook_entries.seconds(_read(path))
    except Refusal:
        return 0.0


def _place(root: Path, scope: str) -> tuple[Path, str, str]:
    """The hooks file, its scope, and the name by which Codex notes its hooks."""
    path = path_of(root, scope)
    if not in_plugin() or hook_entries.commands(_read(path)):
        return path, scope, str(path)
    folder = installed().parent.parent  # plugins/cache/MARKETPLACE/PLUGIN/VERSION
    named = f"{folder.parent.name}@{folder.parent.parent.name}"
    return folder / "hooks" / NAME, "plugin", f"{named}:hooks/{NAME}"


def _advice(found: Mapping[str, str], ignored: bool) -> str:
    values = set(found.values())
    if values == {hook_entries.ABSENT}:
        return "no hook is installed; autoresearch_hooks_ctl.py install adds them"
    if hook_entries.ABSENT in values:
        return "some hooks are missing; autoresearch_hooks_ctl.py install completes them"
    if ignored:
        return "Codex reads the hooks of trusted projects only: start codex in this folder once and trust it"
    if hook_entries.OFF in values:
        return "some hooks are switched off: start codex here, /hooks switches them on"
    if values != {hook_entries.TRUSTED}:
        return "Codex skips these hooks until they are trusted: start codex once and accept 'Hooks need review'"
    return "the hooks are in force in every new session"


def _read(path: Path) -> dict[str, Any]:
    """The hooks file, {} when there is none."""
    try:
        found = jsontext.loads(regular.read_bytes(path).decode("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Refusal(f"{path} cannot be read ({error}), expected JSON; correct it and repeat the command") from None
    if not isinstance(found, dict):
        raise Refusal(f"{path} holds no JSON object, expected one with the key hooks; correct it first")
    return found


def _write(path: Path, document: Mapping[str, Any]) -> None:
    # Through a link to the file itself, which may lie among somebody's dotfiles.
    atomic.replace(path.resolve(), jsontext.dumps(document, indent=2) + "\n")


def _remove(path: Path) -> None:
    try:
        path.unlink()
        path.parent.rmdir()
    except OSError:
        pass  # the folder holds other things


def _hide(root: Path) -> str:
    """Keep a new hooks file out of `git status`, where it would count as a change out of scope."""
    repo = Repo(root)
    if not repo.is_git():
        return ""
    name = f"{FOLDER}/{NAME}"
    if not repo.blob_ids([name]):
        repo.exclude([f"/{name}"])
        return ""
    return f"{name} is tracked here: commit it before the run, else its change counts as one out of scope"
