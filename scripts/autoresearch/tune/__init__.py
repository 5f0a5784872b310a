"""Constants of the code searched by measuring: one row, its samples in evidence."""

USES = ("cli", "kernel", "noise")
