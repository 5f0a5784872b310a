#!/usr/bin/env python3
"""Parallel experiments: open a worktree for each worker, close the batch by measuring them, or abort it."""
import sys
sys.dont_write_bytecode = True  # the skill's folder is never written to
from autoresearch.cli import main
sys.exit(main("run_batch"))
