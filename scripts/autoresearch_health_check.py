#!/usr/bin/env python3
"""Check disk, repository, verify command and artifacts before going on."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("health_check"))
