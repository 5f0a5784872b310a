"""What people see: report, chart, watch, finalize."""
