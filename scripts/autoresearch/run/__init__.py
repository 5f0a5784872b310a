"""One experiment from start to end: init, trial, batch, record, resume."""
