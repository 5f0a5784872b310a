"""Concordance of the names in source files."""
