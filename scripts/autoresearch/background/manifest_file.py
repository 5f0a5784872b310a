"""The launch manifest on disk."""

from __future__ import annotations

from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import replace
from ..kernel.disk import evidence
from ..kernel.disk.layout import Layout
from ..kernel.run import context
from ..kernel.system import gitfiles
from . import manifest, object_file
from .manifest import Manifest


def read(layout: Layout) -> Manifest | None:
    """The manifest, None when there is none; raises `ValueError` saying what is wrong with it."""
    return object_file.read(layout.launch, manifest.from_dict)


def require(layout: Layout) -> Manifest:
    """The manifest; raises `Refusal` when it is missing or unusable."""
    try:
        found = read(layout)
    except ValueError as error:
        raise Refusal(f"{error}; expected a launch manifest, launch again with --force") from None
    if found is None:
        raise Refusal(f"{layout.launch.name} is missing, expected a confirmed launch; use runtime_ctl launch")
    return found


def write(layout: Layout, found: Manifest) -> Manifest:
    """Write the manifest and return it with its times."""
    now = context.now()
    found = replace(found, created_at=found.created_at or now, updated_at=now)
    gitfiles.hide(layout.launch)
    evidence.write_json(layout.launch, found.to_dict())
    return found
