#!/usr/bin/env python3
"""Take the steps of a side line that are due: begin one, compare its tip with the main line, adopt it or leave it."""

import os
import sys

sys.dont_write_bytecode = True  # the skill's folder is never written to
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))  # not there under PYTHONSAFEPATH
from autoresearch.cli import main

sys.exit(main("lines.line"))
