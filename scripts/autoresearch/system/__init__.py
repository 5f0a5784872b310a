"""Child processes only: git, checks, probes of the machine."""
