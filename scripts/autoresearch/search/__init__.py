"""What a run makes of its own past: kinds tried, repeats told, attempts tried again on new ground."""

USES = ("kernel",)
