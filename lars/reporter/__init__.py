"""lars-reporter: collects call counts from the agents into the database (docs/design/reporter.md)."""
