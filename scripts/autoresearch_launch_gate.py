#!/usr/bin/env python3
"""Say whether a background run may start here."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("launch_gate"))
