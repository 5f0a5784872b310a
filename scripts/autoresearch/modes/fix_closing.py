"""The command that closes a fix run's folder. Asked after every trial, so it loads the modes in a fix run alone."""

from __future__ import annotations

from ..kernel.disk.layout import script
from ..kernel.run.context import Run


def advice(run: Run) -> str:
    """What writes the files of the latest fix folder; "" in every other mode, and where none was opened."""
    if run.mode != "fix":
        return ""
    import shlex

    from . import mode_folder

    folder = mode_folder.newest(run.layout.root, "fix")
    return f"python3 {script('mode_log')} summary --dir {shlex.quote(str(folder))}" if folder else ""
