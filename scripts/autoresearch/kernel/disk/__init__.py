"""Files only: atomic replace, locked append, log, layout, evidence."""
