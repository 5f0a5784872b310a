#!/usr/bin/env python3
"""Turn the edit in the tree into one finished, recorded experiment."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("run_trial"))
