"""Every parser of what others send or write, under inputs that nobody would: `python -m tests.fuzz`."""
