"""The load that is put on services: agents, callers, business processes and browsers."""
