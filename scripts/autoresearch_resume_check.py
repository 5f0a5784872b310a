#!/usr/bin/env python3
"""Say how the run in this repository can be resumed."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("resume_check"))
