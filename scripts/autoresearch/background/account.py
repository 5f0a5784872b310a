"""What the controller writes down: its record, its log, and the account of what was spent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..kernel.core.frozen import replace
from ..kernel.disk.layout import Layout
from . import runlog, runtime_file
from .runtime import Runtime


class Book:
    """The record in memory and on disk; only the holder of the controller's lock has one."""

    def __init__(self, layout: Layout, found: Runtime, log: Path) -> None:
        """Nothing is written yet."""
        self.layout, self.found, self.log_path = layout, found, log

    def note(self, **changes: Any) -> None:
        """Change the record, on disk too."""
        self.found = runtime_file.write(self.layout, replace(self.found, **changes), self.log_path)

    def log(self, text: str) -> None:
        """One line for people."""
        runlog.write(self.log_path, text)
