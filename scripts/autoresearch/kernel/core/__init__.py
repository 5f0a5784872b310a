"""Pure rules: values, the fold, decisions, ladder, stop rules, scope. No I/O, no clock."""
