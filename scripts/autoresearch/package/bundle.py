"""What a package holds: the skill without tests, and around it what makes a plugin. Formats as Codex CLI 0.171.0 reads
them (`codex plugin marketplace add`, `codex plugin add`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..cli import own_copy
from ..hooks.hook_entries import EVENTS
from ..kernel.core import jsontext
from ..kernel.core.errors import Refusal
from ..kernel.disk import atomic
from ..kernel.disk.layout import SKILL_ROOT

NAME = "codex-autoresearch"
MARKETPLACE = "autoresearch"
_SKIPPED = ("__pycache__", "*.pyc", ".DS_Store")


def skill(out: Path) -> Path:
    """The plain bundle in the new folder `out`; raises `Refusal` where something is there."""
    _refuse_taken(out)
    with _whole(out):
        _copy(out)
    return out


def plugin(out: Path, version: str) -> Path:
    """A marketplace of one plugin in the new folder `out`, and the same as a zip beside it, whose path is returned."""
    import shutil

    archive = out.with_name(out.name + ".zip")
    for path in (out, archive):
        _refuse_taken(path)
    with _whole(out, archive):
        _copy(out / "skills" / NAME)
        _write(out / ".codex-plugin" / "plugin.json", _plugin(version))
        _write(out / ".agents" / "plugins" / "marketplace.json", _marketplace())
        _write(out / "hooks" / "hooks.json", _hooks())
        shutil.make_archive(str(out), "zip", out)
    return archive


@contextmanager
def _whole(*paths: Path) -> Iterator[None]:
    """What the block makes is there as a whole or not at all."""
    try:
        yield
    except BaseException as error:
        import shutil

        for path in paths:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        if isinstance(error, shutil.Error):  # of many files: the first of them
            raise Refusal(
                f"cannot write {paths[0]} ({error.args[0][0][2]}), expected room for all of it; nothing stays of it, "
                "free disk space or choose another place, and repeat the command"
            ) from None
        if isinstance(error, OSError):
            raise atomic.unwritable(paths[0], error) from None
        raise


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
