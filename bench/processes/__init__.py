"""Child processes, their ports and a database server, for benchmarks and tests alike; nothing here needs a reactor."""
