"""lars-agent: answers business processes over UDP, and learns from their reports (design 7 and 8)."""
