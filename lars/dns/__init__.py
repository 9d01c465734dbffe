"""lars-dns: maps modules to routes, and pushes every change to the agents (docs/design/dns.md)."""
