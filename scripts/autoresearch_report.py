#!/usr/bin/env python3
"""Write the report of a run as HTML and Markdown."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("report"))
