"""Faults of every kind. The scripts' folder is made known here, so that each module can be run by `python3 -m`."""

import sys
from pathlib import Path

_SCRIPTS = str(Path(__file__).resolve().parent.parent.parent / "scripts")
if _SCRIPTS not in sys.path:
    sys.path.insert(0, _SCRIPTS)
