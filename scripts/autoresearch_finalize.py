#!/usr/bin/env python3
"""Make a clean branch of the kept experiments for review."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("finalize"))
