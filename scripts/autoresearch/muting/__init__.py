"""Signals that an edit mutes instead of fixing."""

USES = ("kernel",)
