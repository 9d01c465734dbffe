"""lars-dns: maps modules to routes, and tells the agents of every change (docs/design/dns.md)."""
