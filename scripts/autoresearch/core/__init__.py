"""Pure rules: values, the fold, decisions, ladder, stop rules, scope, statistics. No I/O, no clock."""
