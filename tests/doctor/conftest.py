from __future__ import annotations

from tests.report.conftest import measured

__all__ = ["measured"]
