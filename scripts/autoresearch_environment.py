#!/usr/bin/env python3
"""Describe this machine: cores, memory, disk, accelerators, toolchains."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("environment"))
