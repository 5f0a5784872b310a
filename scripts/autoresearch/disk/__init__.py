"""Files only: atomic replace, locked append, journal, layout, evidence, lessons."""
