"""Noisy metrics: calibration, the sequential test on interleaved pairs."""

USES = ("kernel", "machine")
