"""lars-reporter as a process, with real databases and agents."""
