"""One experiment and nothing else, on four floors: core, disk, system, run. It imports no feature."""
