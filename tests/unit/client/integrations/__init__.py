"""The parts of the integrations that need no library."""
