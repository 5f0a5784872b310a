#!/usr/bin/env python3
"""Say what keeps a run from working here, and the line that fixes it."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("doctor"))
