"""Takes what agents say of hosts and of themselves, until it is written. Pure.

See docs/design/reporter.md, views.
"""

from lars.balancing.host import MAX_WHY
from lars.db.report_rows import AgentFacts, CallsSeen, HostSeen, Seen
from lars.errors import InvalidRoute
from lars.host_condition import Condition
from lars.host_record import zone
from lars.reporter.aggregate import Malformed
from lars.route import MAX_PORT, ModuleId, module_id
from lars.wire.lars_pb2 import AgentFacts as FactsMessage
from lars.wire.lars_pb2 import AgentViews, HostView

MAX_NAME = 255
"""Characters of a machine's or a server's name."""

MAX_VERSION = 64
"""Characters of the version of an agent."""

MAX_SETTINGS = 1_000
"""Characters of an agent's settings."""

LONGEST_PERIOD = 86_400
"""Seconds in which counted calls were made, at most."""

_CONDITIONS = frozenset(Condition)
_MAX_VERSION_NUMBER = 2**63 - 1


def add_views(message: AgentViews, now: float, seen: Seen) -> int:
    """Adds what an agent says; what is newer replaces what is older.

    Args:
        message: what it says.
        now: when it arrived, in Unix seconds by the database's clock.
        seen: of the same run; changed in place.

    Returns the number of rows that were not there before. Raises Malformed or InvalidRoute, and adds nothing, where a
    module or a host cannot be.
    """
    for view in message.module:
        module_id(view.modid, view.cmdid)
        if any(not (host.ip and 0 < host.port <= MAX_PORT) for host in view.host):
            raise Malformed(f"a view of module ({view.modid}, {view.cmdid}) names a host that cannot be")
    seen.at = int(now)
    added = 0
    for view in message.module:
        module = ModuleId(view.modid, view.cmdid)
        added += module not in seen.versions
        if view.forgotten:
            seen.versions[module] = None
            seen.hosts.pop(module, None)
            continue
        seen.versions[module] = min(view.version, _MAX_VERSION_NUMBER)
        if not view.host:
            continue
        hosts = seen.hosts.setdefault(module, {})
        before = len(hosts)
        period = min(view.period_s, LONGEST_PERIOD)
        for host in view.host:
            if host.condition in _CONDITIONS:
                packed = host.ip << 16 | host.port
                hosts[packed] = _host_seen(host, period, int(now), hosts.get(packed))
        added += len(hosts) - before
    if message.HasField("agent"):
        added += seen.facts is None
        seen.facts = _facts(message.agent, now)
    return added


def _host_seen(host: HostView, period: int, now: int, before: HostSeen | None) -> HostSeen:
    calls = before.calls if before is not None else None
    if host.HasField("succ"):
        calls = CallsSeen(host.succ, host.err, now, period)
    reason = _line(host.reason, MAX_WHY)
    return HostSeen(host.condition, reason, max(0, now - host.age_s), host.latency_us, calls)


def _facts(message: FactsMessage, now: float) -> AgentFacts:
    try:
        place = zone(message.zone)
    except InvalidRoute:
        place = ""
    settings = "\n".join(_line(line, MAX_SETTINGS) for line in message.settings.splitlines())
    return AgentFacts(
        started_at=max(0, int(now) - message.age_s),
        hostname=_line(message.hostname, MAX_NAME),
        version=_line(message.version, MAX_VERSION),
        zone=place,
        dns=_line(message.dns, MAX_NAME),
        reporter=_line(message.reporter, MAX_NAME),
        settings=settings[:MAX_SETTINGS],
    )


def _line(text: str, most: int) -> str:
    """The text as one line of what can be printed."""
    return "".join(c if c.isprintable() else "?" for c in text[:most])
