"""Child processes only: git, checks, limits of the machine."""
