"""The policies that can be compared: the project's own, and those of others with their sources."""
