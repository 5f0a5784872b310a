#!/usr/bin/env python3
"""Run the whole loop on a bundled program with a scripted agent."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("demo"))
