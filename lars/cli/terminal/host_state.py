"""The words for a host's state, the same in every table and listing. Pure."""

from datetime import datetime

from lars.host_record import Drain, HostRecord

HEALTHY = "healthy"

EJECTED = "ejected"
"""Out of rotation for its failures, and only probed (docs/design/balancing.md, classic)."""

DRAINING = "draining"
"""Out of use by an operator (docs/design/database.md, host records)."""

UNHEALTHY = "unhealthy"
"""Out of rotation because its health checks fail."""

WARMING_UP = "warming up"
"""Back in rotation, with a part of its share."""

STATE_STYLE = {HEALTHY: "green", EJECTED: "yellow", UNHEALTHY: "red", DRAINING: "cyan", WARMING_UP: "green"}
"""How rich draws each."""


def host_state(ejected: bool) -> str:
    """The word for whether a host is ejected."""
    return EJECTED if ejected else HEALTHY


def drain_state(drain: Drain, now: datetime) -> str:
    """A drain as text: "draining until 14:00: kernel update", with the date if that is not today.

    Args:
        drain: what is known of it.
        now: in the time zone in which the end is shown, or naive for that of the machine.
    """
    end = ""
    if drain.until:
        at = datetime.fromtimestamp(drain.until, now.tzinfo)
        end = f" until {at:%H:%M}" if at.date() == now.date() else f" until {at:%Y-%m-%d %H:%M}"
    return f"{DRAINING}{end}{': ' if drain.reason else ''}{drain.reason}"


def routed_state(record: HostRecord, now: datetime) -> str:
    """The state of a host by its record: active, draining (see drain_state), or of weight 0 without a drain."""
    if record.draining:
        return drain_state(Drain(record.drained_until, record.drain_reason), now)
    return "active" if record.weight else "drained"
