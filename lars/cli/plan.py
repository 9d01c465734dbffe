"""How many services, and of which size, a fleet needs; from measured costs. Pure (docs/operations.md, sizing)."""

from dataclasses import dataclass
from math import ceil

CONNECTIONS = 20_000
"""Agents on one lars-dns or lars-reporter: `max_connections` as it is by default."""

SUBSCRIPTIONS = 10_000_000
"""Pairs of agent and module on one lars-dns: `max_total_subscriptions` as it is by default."""

BUSY = 0.5
"""The share of its cores that a service or the database uses at most; the rest is for peaks and for one that fails."""

LONGEST_INTERVAL = 60.0
"""The longest `report_interval`, in seconds, that is advised: history counts by the minute, and a host is stale after
three (docs/design/reporter.md, what is stored)."""

HEARTBEAT = 10.0
"""Seconds between two heartbeats of an agent on each of its two connections."""

HISTORY_MINUTES = 1_440
"""Rows of history in a day of one host that is called all the time."""

_NONE = "nothing: there is room"


@dataclass(frozen=True, slots=True)
class Costs:
    """What one of each costs, on one core of an AMD EPYC virtual machine with Python 3.11 and MariaDB 10.11.

    The source is `python -m bench scale`, or the wire format for bytes; others say theirs (docs/performance.md, scale).
    Times are CPU time in µs, sizes of memory in KiB unless the name has another unit.
    """

    dns_memory_mib: float = 57.0
    """Of lars-dns without routes and agents."""
    dns_route_bytes: float = 148.0
    """Of one host in a route, while the routes are checked: of the million routes of `bench dns`."""
    dns_connection_kib: float = 3.4
    """Of one agent with 20 modules."""
    dns_connect_us: float = 260.0
    """Of one agent that connects and asks for 20 modules."""
    dns_push_us: float = 22.0
    """Of one change to one agent."""
    heartbeat_us: float = 41.0
    """Of one heartbeat, on either service."""
    dns_change_us: float = 5_000.0
    """Of one changed module, before any push, on each lars-dns: an estimate on the safe side, not measured yet."""
    reporter_memory_mib: float = 59.0
    """Of lars-reporter without agents."""
    reporter_connection_kib: float = 4.1
    """Of one agent that reports on two hosts."""
    reporter_report_us: float = 99.0
    """Of one report, besides its results."""
    reporter_result_us: float = 15.0
    """Of one result, which is one host in a report: an upper bound. With `database_result_us` it is the 31 µs that two
    cores take for one in `bench reporter`."""
    database_report_us: float = 19.0
    """Of one report in the database, besides its results: its cursor and its caller."""
    database_result_us: float = 15.0
    """Of one result in the database: status and history."""
    database_memory_mib: float = 512.0
    """Of a database node besides the rows that are written again and again."""
    report_bytes: float = 60.0
    """Of one report on the wire without results, with its acknowledgement and TCP's headers."""
    result_bytes: float = 14.0
    """Of one result on the wire."""
    host_bytes: float = 20.0
    """Of one host of a route on the wire, with weight and zone."""
    frame_bytes: float = 100.0
    """Of a push without hosts, or of a heartbeat and its answer, with TCP's headers."""
    written_bytes: float = 50.0
    """Of one row on its way to the database."""
    row_bytes: float = 120.0
    """Of one row on the database's disk, with its share of the index: an estimate, as `written_bytes` is."""


MEASURED = Costs()


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is planned for. Counts are of the whole fleet unless the name says otherwise."""

    agents: int
    modules: int
    hosts: int
    """Hosts in all routes together."""
    changes_per_minute: float
    """Edits, each of one module."""
    modules_per_agent: int = 20
    """Modules that the processes of one machine ask for."""
    called_modules: int = 2
    """Modules that the processes of one machine call within one report interval."""
    called_hosts: int = 10
    """Hosts that they call within one report interval, in all those modules, and that are in their reports."""
    report_interval: float = 5.0
    """`report_interval` of the agents, in seconds."""
    database_cores: int = 16
    """Cores of one database node."""
    history_days: float = 7.0
    """`history_days` of the reporters."""


@dataclass(frozen=True, slots=True)
class Need:
    """What one kind of service needs. `limit` names what decides the number of instances."""

    service: str
    instances: int
    limit: str
    memory_mib: float
    """Of each instance."""
    cores: float
    """That each instance uses."""
    megabits: float
    """In and out a second, of each instance."""


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """What grows full first, and what moves it. `share` is 1 where what is permitted is used."""

    what: str
    share: float
    agents: int
    """How many agents it carries, other things being equal."""
    remedy: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The result. Rates are a second, for the whole fleet."""

    needs: tuple[Need, Need, Need]
    pushes: float
    reports: float
    results: float
    rows: float
    """Rows that the database is sent, at most: results of one host that are committed together are one of history."""
    reconnect_seconds: float
    """CPU time until the agents of one lars-dns that died are served by the others."""
    disk_gib: float
    """Of each database node."""
    bottleneck: Bottleneck


def plan(fleet: Fleet, costs: Costs = MEASURED) -> Plan:
    """Computes what a fleet needs; one lars-dns and one lars-reporter may fail."""
    pushes = fleet.changes_per_minute / 60 * _watchers(fleet)
    reports = fleet.agents * fleet.called_modules / fleet.report_interval
    results = fleet.agents * fleet.called_hosts / fleet.report_interval
    dns = _dns(fleet, costs, pushes)
    database = _database(fleet, costs, reports, results)
    rows = 2 * reports + 2 * results
    return Plan(
        (dns, _reporter(fleet, costs, reports, results), database),
        pushes,
        reports,
        results,
        rows,
        _reconnect_seconds(fleet, costs, dns),
        _disk_gib(fleet, costs),
        bottleneck(fleet, costs, database.cores),
    )


def _watchers(fleet: Fleet) -> float:
    """Agents that watch one module, on average."""
    return fleet.agents * min(fleet.modules_per_agent, fleet.modules) / max(1, fleet.modules)


def _instances(loads: dict[str, float]) -> tuple[int, str]:
    """How many instances the largest load needs, each in full instances, and one more; and that load's name."""
    limit = max(loads, key=lambda name: loads[name])
    return max(1, ceil(loads[limit])) + 1, limit


def _changes_share(fleet: Fleet, costs: Costs) -> float:
    """The share of a core that each lars-dns needs to follow the changes."""
    return fleet.changes_per_minute / 60 * costs.dns_change_us / 1e6


def _dns(fleet: Fleet, costs: Costs, pushes: float) -> Need:
    heartbeats = fleet.agents / HEARTBEAT
    own = _changes_share(fleet, costs)
    shared = (pushes * costs.dns_push_us + heartbeats * costs.heartbeat_us) / 1e6
    loads = {
        "connections": fleet.agents / CONNECTIONS,
        "subscriptions": fleet.agents * min(fleet.modules_per_agent, fleet.modules) / SUBSCRIPTIONS,
        "CPU": shared / max(BUSY - own, 0.01),  # what changes take of every instance is no other's
    }
    count, limit = _instances(loads)
    working = count - 1
    memory = costs.dns_memory_mib + fleet.hosts * costs.dns_route_bytes / 2**20
    memory += fleet.agents / working * costs.dns_connection_kib / 1024
    route = costs.frame_bytes + fleet.hosts / max(1, fleet.modules) * costs.host_bytes
    sent = pushes * route + heartbeats * costs.frame_bytes
    return Need("lars-dns", count, limit, memory, own + shared / working, sent * 8 / 1e6 / working)


def _reporter(fleet: Fleet, costs: Costs, reports: float, results: float) -> Need:
    heartbeats = fleet.agents / HEARTBEAT
    used = reports * costs.reporter_report_us + results * costs.reporter_result_us + heartbeats * costs.heartbeat_us
    count, limit = _instances({"connections": fleet.agents / CONNECTIONS, "CPU": used / 1e6 / BUSY})
    working = count - 1
    memory = costs.reporter_memory_mib + fleet.agents / working * costs.reporter_connection_kib / 1024
    sent = reports * costs.report_bytes + results * costs.result_bytes + heartbeats * costs.frame_bytes
    return Need("lars-reporter", count, limit, memory, used / 1e6 / working, sent * 8 / 1e6 / working)


def _database(fleet: Fleet, costs: Costs, reports: float, results: float) -> Need:
    """Three nodes, of which each writes everything: more of them carry no more writes.

    The rows that are written again and again, status and cursors, should be in memory.
    """
    cores = (reports * costs.database_report_us + results * costs.database_result_us) / 1e6
    sent = (2 * reports + 2 * results) * costs.written_bytes
    memory = costs.database_memory_mib + _status_rows(fleet) * costs.row_bytes / 2**20
    return Need("database", 3, "one may fail", memory, cores, sent * 8 / 1e6)


def _status_rows(fleet: Fleet) -> int:
    """Rows of ServerCallStatus, ReportCursor and CallerSeen."""
    return fleet.agents * (fleet.called_hosts + 2)


def _reconnect_seconds(fleet: Fleet, costs: Costs, dns: Need) -> float:
    """The agents of one of all instances come to the others."""
    return fleet.agents / dns.instances / (dns.instances - 1) * costs.dns_connect_us / 1e6


def _disk_gib(fleet: Fleet, costs: Costs) -> float:
    called = min(fleet.hosts, fleet.agents * fleet.called_hosts)
    rows = called * HISTORY_MINUTES * fleet.history_days + _status_rows(fleet) + fleet.hosts
    return rows * costs.row_bytes / 2**30


def bottleneck(fleet: Fleet, costs: Costs, database_cores: float) -> Bottleneck:
    """What no further instance lifts, and is used most: the database's writes, or the changes that every dns follows.

    Args:
        fleet: what is planned for.
        costs: what one of each costs.
        database_cores: cores that the database uses.
    """
    database = database_cores / (BUSY * fleet.database_cores)
    changes = _changes_share(fleet, costs) / BUSY
    if changes > database:
        remedy = "put several changes in one edit" if changes > 1 else _NONE
        return Bottleneck("changes, which each lars-dns follows", changes, fleet.agents, remedy)
    return Bottleneck(
        "writes of reports in the database", database, int(fleet.agents / max(database, 1e-9)), _remedy(fleet, database)
    )


def _remedy(fleet: Fleet, share: float) -> str:
    if share <= 1 + 1e-9:
        return _NONE
    interval = ceil(fleet.report_interval * share - 1e-9)
    if interval <= LONGEST_INTERVAL:
        return f"report_interval = {interval} in the agents' conf (now {fleet.report_interval:g})"
    left = share * fleet.report_interval / LONGEST_INTERVAL
    cores = ceil(fleet.database_cores * max(1.0, left) - 1e-9)
    return f"report_interval = {LONGEST_INTERVAL:g} in the agents' conf, and database nodes of {cores} cores"
