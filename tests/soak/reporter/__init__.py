"""lars-reporter, for long."""
