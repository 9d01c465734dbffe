"""The agent as one process a shard, for machines with cores to spare (docs/design/agent.md, workers)."""
