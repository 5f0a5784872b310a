"""The flags that set up the same run again."""

from __future__ import annotations

from ..kernel.core.config import BLANK
from ..kernel.core.settings import SETTINGS, Config

# What the commands that start a run set by themselves, or what another row tells.
_BY_ITSELF = ("repos", "session_mode")


def flags(config: Config, leave_out: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """The flags that set up the same run, in order: every one whose value is not the default's."""
    found = []
    for row in SETTINGS:
        value = getattr(config, row.name)
        if not row.about or row.name in (*_BY_ITSELF, *leave_out) or value in (None, "", ()):
            continue
        usual = str(row.more.get("usual", ""))
        if (value != getattr(BLANK, row.name) and str(value) != usual) or row.more.get("needed"):
            found += [(row.flag, str(item)) for item in (value if row.is_list else (value,))]
    return found + [("companion-repo-scope", f"{repo.path}={repo.scope}") for repo in config.companions]
