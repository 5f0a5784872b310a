"""Shipped checks: each measures one thing with the trade's own tool, counts the ways out beside it, and refuses a
program that does not run."""

USES = ("cli", "kernel", "reading")
