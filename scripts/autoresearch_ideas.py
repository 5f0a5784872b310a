#!/usr/bin/env python3
"""Park ideas, list them, or say what became of one."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("ideas"))
