"""Processes of the tool that work for one place of a batch: each in a session of its own, under the batch's mark."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..kernel.disk.layout import Layout, entry
from ..kernel.system import process
from .batch import WorkerPlace


def start(layout: Layout, what: str, place: WorkerPlace, mark: str, errors: Path) -> process.Process:
    """`run_batch WHAT` for this place, with the accelerators that are its own; its errors go to the file `errors`."""
    errors.parent.mkdir(parents=True, exist_ok=True)
    errors.write_bytes(b"")
    paths = {"results": layout.results, "state": layout.state, "launch": layout.launch, "runtime": layout.runtime}
    flags = [part for name, path in paths.items() for part in (f"--{name}-path", str(path))]
    call = (str(entry("run_batch")), what, "--repo", str(layout.root), *flags, "--worker", place.id)
    streams = process.Streams(None, Path(os.devnull), errors)
    return process.start_detached((sys.executable or "python3", *call), layout.root, place.environment, streams, mark)
