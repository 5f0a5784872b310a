#!/usr/bin/env python3
"""Print, or remove, the scratch state of exec mode."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("exec_state"))
