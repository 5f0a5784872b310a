#!/usr/bin/env python3
"""Move a run between foreground and background."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("set_session_mode"))
