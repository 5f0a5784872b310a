"""One experiment from start to end: init, trial, record, resume."""
