"""What a package holds: the skill without tests, and around it what makes a plugin. Formats as Codex CLI 0.171.0 reads
them (`codex plugin marketplace add`, `codex plugin add`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..cli import own_copy
from ..hooks.hook_entries import EVENTS
from ..kernel.core import jsontext
from ..kernel.core.errors import Refusal
from ..kernel.disk.layout import SKILL_ROOT

NAME = "codex-autoresearch"
MARKETPLACE = "autoresearch"
_SKIPPED = ("__pycache__", "*.pyc", ".DS_Store")


def skill(out: Path) -> Path:
    """The plain bundle in the new folder `out`; raises `Refusal` where something is there."""
    _refuse_taken(out)
    _copy(out)
    return out


def plugin(out: Path, version: str) -> Path:
    """A marketplace of one plugin in the new folder `out`, and the same as a zip beside it, whose path is returned."""
    import shutil

    archive = out.with_name(out.name + ".zip")
    for path in (out, archive):
        _refuse_taken(path)
    _copy(out / "skills" / NAME)
    _write(out / ".codex-plugin" / "plugin.json", _plugin(version))
    _write(out / ".agents" / "plugins" / "marketplace.json", _marketplace())
    _write(out / "hooks" / "hooks.json", _hooks())
    shutil.make_archive(str(out), "zip", out)
    return archive


def _refuse_taken(path: Path) -> None:
    if path.exists():
        raise Refusal(f"{path} exists, expected a new name; remove it or choose another")


def _copy(target: Path) -> None:
    import shutil

    target.mkdir(parents=True)
    for name in (*own_copy.PARTS, "assets"):
        source = SKILL_ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns(*_SKIPPED))
        else:
            shutil.copy2(source, target / name)


def _write(path: Path, data: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(jsontext.dumps(data, indent=2) + "\n", "utf-8")


def _plugin(version: str) -> dict[str, Any]:
    return {
        "name": NAME,
        "version": version,
        "description": "Improve any number of a project by measured experiments that repeat unattended.",
        "license": "MIT",
        "skills": "./skills/",
        "hooks": "./hooks/hooks.json",
        "interface": {
            "displayName": "Codex Autoresearch",
            "shortDescription": "Improve any number by measured experiments",
            "category": "Coding",
        },
    }


def _marketplace() -> dict[str, Any]:
    source = {"source": "local", "path": "./"}
    policy = {"installation": "AVAILABLE", "authentication": "ON_INSTALL"}
    entry = {"name": NAME, "source": source, "policy": policy, "category": "Coding"}
    return {"name": MARKETPLACE, "interface": {"displayName": "Autoresearch"}, "plugins": [entry]}


def _hooks() -> dict[str, Any]:
    """The hooks of `hooks_ctl install`, by the place that Codex gives a plugin; silent where the script is gone."""
    script = f'"$PLUGIN_ROOT/skills/{NAME}/scripts/autoresearch_hooks_ctl.py"'
    groups: dict[str, Any] = {}
    for event, (title, seconds, matcher) in EVENTS.items():
        command = f"[ ! -f {script} ] || python3 {script} run --event {event} || exit 1"
        hook = {"type": "command", "command": command, "timeout": seconds}
        groups[title] = [{**({"matcher": matcher} if matcher else {}), "hooks": [hook]}]
    return {"hooks": groups}
