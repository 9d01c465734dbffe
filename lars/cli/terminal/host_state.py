"""The words for a host's state, the same in every table and listing. Pure."""

HEALTHY = "healthy"

EJECTED = "ejected"
"""Out of rotation for its failures, and only probed (docs/design/balancing.md, classic)."""

STATE_STYLE = {HEALTHY: "green", EJECTED: "yellow"}
"""How rich draws each."""


def host_state(ejected: bool) -> str:
    """The word for whether a host is ejected."""
    return EJECTED if ejected else HEALTHY
