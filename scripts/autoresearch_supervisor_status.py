#!/usr/bin/env python3
"""Say whether a run goes on, stops, or needs a human."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("supervisor_status"))
