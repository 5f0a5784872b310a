from __future__ import annotations

from tests.run.conftest import lab

__all__ = ["lab"]
