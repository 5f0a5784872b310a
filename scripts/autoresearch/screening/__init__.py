"""The cheap stage: a quick check that spares the full one what is clearly worse; it never keeps anything."""

USES = ("kernel",)
