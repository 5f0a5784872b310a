"""A run's own copy of the skill: the installed one may be updated or removed in mid-run, the run goes on as it began.

Copies lie in the user's cache, one for each state of an installed skill: a sandboxed session may not write there, and
nothing that a repository holds is ever run in their place.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from ..kernel.disk import evidence, layout

NOTE = "skill.json"  # in the evidence folder: which copy the run began with
PARTS = ("SKILL.md", "LICENSE", "agents", "references", "scripts")
_KEY = re.compile(r"[0-9a-f]{16}")


def in_plugin() -> bool:
    """Whether this skill came as a plugin of Codex, whose folder goes when it is updated or removed."""
    return (layout.installed().parent.parent / ".codex-plugin").is_dir()


def copy() -> Path | None:
    """The copy of the skill that runs now, made where there is none; None where the skill lies in no `skills` folder
    (whoever develops it), or the cache cannot be written."""
    if layout.installed() != layout.SKILL_ROOT:
        return layout.SKILL_ROOT
    if not _is_installed():
        return None
    try:
        place = _folder() / _key()
        return place if place.is_dir() else _made(place)
    except OSError:
        return None


def begin(folder: Path) -> Path | None:
    """Note in a run's evidence `folder` which copy it begins with, and return that."""
    place = copy()
    if place:
        evidence.write_json(folder / NOTE, {"copy": place.name, "installed_at": str(layout.installed())})
    else:
        (folder / NOTE).unlink(missing_ok=True)
    return place


def of_run(folder: Path) -> Path | None:
    """The copy that the run with this evidence `folder` began with, None where there is none."""
    name = str((evidence.read_json(folder / NOTE) or {}).get("copy", ""))
    place = _folder() / name
    return place if _KEY.fullmatch(name) and (place / "scripts").is_dir() else None


def elsewhere(folder: Path, of_a_run: bool) -> Path | None:
    """The script in a copy that is to go on in place of this one, None for none: a command of a run in the copy that
    the run began with, one of a plugin always in a copy."""
    place = of_run(folder) if of_a_run else None
    place = place or (copy() if in_plugin() else None)
    script = place / "scripts" / os.path.basename(sys.argv[0]) if place and place != layout.SKILL_ROOT else None
    return script if script and script.is_file() else None


def _is_installed() -> bool:
    named = Path(os.path.abspath(sys.argv[0])).parent.parent
    return in_plugin() or "skills" in (named.parent.name, layout.SKILL_ROOT.parent.name)


def _folder() -> Path:
    return Path(os.path.realpath(layout.cache() / "skills"))  # as a running script tells its own place


def _key() -> str:
    """The state of the installed skill: names, sizes and times of its files, and where it is."""
    import hashlib

    told = hashlib.sha256(os.fsencode(layout.SKILL_ROOT))
    for part in PARTS:
        top = layout.SKILL_ROOT / part
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.suffix != ".pyc" and path.is_file():
                found = path.stat()
                told.update(f"{path}\0{found.st_size}\0{found.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return told.hexdigest()[:16]


def _made(place: Path) -> Path:
    """Copy the skill beside its place, then move it there: a killed copy is never taken for a whole one."""
    import shutil
    import tempfile

    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=place.parent))
    try:
        skipped = shutil.ignore_patterns("__pycache__", "*.pyc")
        for part in PARTS:
            source = layout.SKILL_ROOT / part
            if source.is_dir():
                shutil.copytree(source, fresh / part, ignore=skipped)
            elif source.is_file():
                shutil.copy2(source, fresh / part)
        (fresh / layout.INSTALLED_AT).write_text(str(layout.SKILL_ROOT))
        os.rename(fresh, place)
    except OSError:
        if not place.is_dir():  # else another command was quicker
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return place
