"""lars-reporter: collects call counts from the agents into the database (design 9)."""
