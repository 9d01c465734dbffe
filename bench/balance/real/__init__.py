"""The same faults in reality: a real agent, real hosts and real clients, measured as the simulator measures its own."""
