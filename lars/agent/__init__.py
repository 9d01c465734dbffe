"""lars-agent: answers business processes over UDP, and learns from their reports (docs/design/agent.md)."""
