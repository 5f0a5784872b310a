"""Where checks run: here, through any program that runs commands elsewhere, or on Slurm."""

USES = ("kernel",)
