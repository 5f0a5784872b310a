"""What the doctor changes when asked: Codex's settings, one thing at a time, each repeatable and each to be undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..codex import cli_words, codex_home, settings_edit, skill_file, toml_text
from ..kernel.core.errors import Refusal
from ..kernel.disk import atomic, layout
from ..kernel.system.git import Repo

_DONE = {
    "trust": "Codex trusts {root} now; take that back by removing its table from {path}",
    "permissions": "a sandboxed Codex may write .git of its workspace now, in new sessions, so that it can commit; "
    "what it writes there can make your own git run a program (a hook); --mend no-permissions takes that back",
    "skill": "the skill is switched on, in new sessions; /skills in codex switches it off",
    "no-permissions": "Codex has its own permissions again, in new sessions",
}


def mend(root: Path, what: str) -> dict[str, Any]:
    """Change config.toml as asked and say so; raises `Refusal` with the file as it was."""
    path = codex_home.config_path()
    before = _text(path)
    after = _edited(before, root, what)
    if after != before:
        _replace(path, before, after, str(root))
    message = _DONE[what].format(root=root, path=path)
    return {"changed": after != before, "config_path": str(path), "message": message}


def can(root: Path, what: str) -> bool:
    """Whether the settings are of a form in which this can be mended."""
    try:
        _edited(_text(codex_home.config_path()), root, what)
    except Refusal:
        return False
    return True


def _edited(text: str, root: Path, what: str) -> str:
    """The settings afterwards; what Windows editors put before the text stays there. Raises `Refusal`."""
    edits: Mapping[str, Callable[[str], str]] = {
        "trust": lambda text: settings_edit.trusting(text, str(root.resolve())),
        "skill": lambda text: settings_edit.enabling(text, _names(root)),
        "permissions": lambda text: _permitted(text, root),
        "no-permissions": settings_edit.without_profile,
    }
    head = toml_text.BOM if text.startswith(toml_text.BOM) else ""
    return head + edits[what](text[len(head) :])


def _permitted(text: str, root: Path) -> str:
    if (root / ".git").is_file():
        raise Refusal(f"Git's folder of {root} lies elsewhere, expected .git within; start codex with --add-dir FOLDER")
    return settings_edit.with_profile(text, codex_home.project_settings(root))


def _replace(path: Path, before: str, after: str, root: str) -> None:
    """Write the settings; raises `Refusal` with the old ones back where Codex would start with those alone."""
    program = cli_words.program()
    worked = program and not cli_words.ask_cli(program, root).problem
    existed = path.exists()
    path.parent.mkdir(exist_ok=True)
    atomic.replace(path.resolve(), after)
    problem = cli_words.ask_cli(program, root).problem if worked else ""
    if problem:
        atomic.replace(path.resolve(), before) if existed else path.unlink()
        raise Refusal(
            f"with this Codex would not start here ({problem}), expected settings that it takes; correct that first"
        )


def _names(root: Path) -> set[str]:
    """What this skill goes by in the settings, every visible copy and a plugin's name included."""
    place = layout.installed()
    name = skill_file.read(str(place), (place / "SKILL.md").read_bytes()).name
    copies = [skill.folder for skill in codex_home.skills(root, Repo(root).is_git()) if skill.name == name]
    copies += [*codex_home.plugin_skills(codex_home.settings()[0], name), str(place)]
    return {f"{name}:{name}", *codex_home.skill_names(name, copies)}


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{path} cannot be read ({error}), expected TOML; correct it first") from None
