"""The pruned branch at the end of a run, where it was agreed."""

from __future__ import annotations

import re

from ..kernel.disk.layout import script
from ..kernel.run.context import Run


def advice(run: Run) -> str:
    """The command that makes the pruned branch, where `--prune at-end` was agreed and something was kept; else ""."""
    if run.config.prune != "at-end" or not run.state.keeps or not run.config.measured:
        return ""
    name = "pruned-" + re.sub(r"[^A-Za-z0-9-]+", "-", run.tag).strip("-")
    return f"python3 {script('finalize')} --repo . --prune --branch {name}"
