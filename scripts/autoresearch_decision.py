#!/usr/bin/env python3
"""Decide on one trial from its numbers, without touching any file."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("decision"))
