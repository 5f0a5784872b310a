"""A package is there as a whole or not at all."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import Any

import pytest
from autoresearch.kernel.core.errors import Refusal
from autoresearch.package import bundle


@pytest.mark.parametrize("kind", ["skill", "plugin"])
@pytest.mark.parametrize("first", [True, False])
def test_a_full_disk_leaves_nothing_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, first: bool):
    real = shutil.copytree

    def full(source: Any, target: Path, **more: Any) -> Any:
        real(source, target, **more)
        if first:
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        raise shutil.Error([(str(source), str(target), "[Errno 28] No space left on device")])

    monkeypatch.setattr(shutil, "copytree", full)
    out = tmp_path / "out"
    with pytest.raises(Refusal, match="No space left on device"):
        bundle.skill(out) if kind == "skill" else bundle.plugin(out, "1.0.0")
    assert list(tmp_path.glob("out*")) == []
