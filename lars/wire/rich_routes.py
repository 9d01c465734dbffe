"""Routes with weights, zones and settings: which agents read them, and how long they may be.

See docs/design/wire.md, rich routes.
"""

RICH_PEER = 3
"""The `peer` of a GetRouteRequest whose sender reads weights, zones and settings, in routes up to MAX_RICH_ROUTE."""

MAX_RICH_ROUTE = 384 * 1024
"""The longest GetRouteResponse, in bytes, of lars-dns to such an agent.

The fullest module, 4,000 hosts with zones of 64 characters, takes 330 KB.
"""
