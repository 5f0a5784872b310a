#!/usr/bin/env python3
"""Start a run: check the set-up, measure the baseline, write the log and the state."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("init_run"))
