#!/usr/bin/env python3
"""Launch, look at, follow and stop a background run."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("runtime_ctl"))
