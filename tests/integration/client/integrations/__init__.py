"""The integrations, each with its real library."""
