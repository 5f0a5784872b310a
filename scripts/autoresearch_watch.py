#!/usr/bin/env python3
"""Show a run live in the terminal."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("watch"))
