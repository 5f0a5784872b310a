#!/usr/bin/env python3
"""Append to or list the lessons kept across runs."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("lessons"))
