"""The agent's connections to lars-dns and lars-reporter (docs/design/agent.md, links)."""
