#!/usr/bin/env python3
"""Append one iteration to the log of a run."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("record_iteration"))
