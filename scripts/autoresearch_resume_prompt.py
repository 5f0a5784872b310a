#!/usr/bin/env python3
"""Print the prompt of the next session of a background run."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("resume_prompt"))
