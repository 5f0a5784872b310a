#!/usr/bin/env python3
"""Serve the state of a run to the footer of the interactive Codex."""

import os
import sys

sys.dont_write_bytecode = True  # the skill's folder is never written to
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))  # not there under PYTHONSAFEPATH
from autoresearch.cli import main

sys.exit(main("footer.statusline"))
