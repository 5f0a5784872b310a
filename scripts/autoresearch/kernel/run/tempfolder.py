"""Scratch folders outside the repository: each carries its process, so that those of killed ones are found and go."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import Refusal
from ..disk.layout import temporary
from ..system import owners

PREFIX = "autoresearch-scratch-"


@contextmanager
def folder(kind: str) -> Iterator[Path]:
    """An empty folder of this process, gone after the block. Raises `Refusal` where no temporary folder can be used."""
    import shutil
    import tempfile

    sweep()
    try:
        made = Path(tempfile.mkdtemp("", f"{PREFIX}{kind}-{owners.mine()}-", temporary()))
    except OSError as error:
        raise Refusal(
            f"no temporary folder can be written to ({error.strerror or error}), expected one; free some space, or set "
            "TMPDIR to a folder of yours, and repeat the command"
        ) from None
    try:
        yield Path(os.path.realpath(made))
    finally:
        shutil.rmtree(made, ignore_errors=True)


def left() -> list[Path]:
    """The scratch folders of this user whose process is gone."""
    try:
        own = [temporary() / name for name in os.listdir(temporary()) if name.startswith(PREFIX)]
        return [path for path in own if _is_dead(path) and path.stat().st_uid == os.getuid()]
    except OSError:
        return []


def sweep() -> None:
    """Remove them."""
    for path in left():
        import shutil

        shutil.rmtree(path, ignore_errors=True)


def is_left(path: str) -> bool:
    """Whether a path lies in the scratch folder of a process that is gone."""
    return any(one.name.startswith(PREFIX) and _is_dead(one) for one in (Path(path), *Path(path).parents))


def _is_dead(path: Path) -> bool:
    return any(owners.gone(owner, path) for owner in path.name[len(PREFIX) :].split("-")[1:2])
