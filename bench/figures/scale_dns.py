"""Figures `agents` and `routes` of scale: what one lars-dns costs for each agent, push, heartbeat and change."""

import time
from collections.abc import Callable

from bench.errors import BenchError
from bench.figure import Figure
from bench.load.agents import Agents
from bench.load.routes import FIRST_PORT, Routes
from bench.machine import allow_open_files, connections_allowed, load_average
from bench.processes.process_tree import cpu_seconds, memory_mb
from bench.services.database import RouteDatabase
from bench.services.lars_dns import LarsDns
from bench.services.testbed import Testbed
from lars.wire.heartbeats import INTERVAL
from lars.wire.lars_pb2 import Heartbeat
from lars.wire.messages import MessageId, encode_message

_AGENTS = 20_000
_EACH = 20
_MODULES = 10_000
_PUSHES = 5
_PATIENCE = 120.0

_MANY_MODULES = 100_000
_WATCHERS = 100
_CHURN_SECONDS = 30
_SMALL_CHURN_SECONDS = 10
_LAST = 3.0
"""Seconds in which the last change arrives."""

_CHANGED_A_MINUTE = 0.01

_HEARTBEAT = encode_message(MessageId.HEARTBEAT, Heartbeat(interval_ms=int(INTERVAL * 1000)))


def measure_agents(testbed: Testbed, figure: Figure) -> None:
    """20,000 agents watch 20 modules each, one of them the same for all."""
    count = testbed.size(connections_allowed(_AGENTS))
    routes = Routes(_MODULES)
    database = testbed.database()
    database.fill(routes.rows(), routes.settings())
    dns = testbed.dns(database, 0.2, "--max-per-address", str(_AGENTS))
    dns.start()
    dns.until_answering(routes.module(0), 60)
    size = dns.frame_size(routes.module(0))
    own = [routes.requests(1 + agent * (_EACH - 1), _EACH - 1) for agent in range(count)]
    figure.facts |= {"agents": count, "modules an agent": _EACH, "modules": _MODULES, "bytes of a route": size}
    with Agents(dns.port, [routes.requests(0, 1) + each for each in own], size) as agents:
        _connected(figure, dns, agents, count)
        _pushes(figure, dns, database, routes, agents, count)
        _heartbeats(figure, dns, agents, count)
        _reconnect(figure, dns, agents, count)
    dns.close()


def _cost(figure: Figure, dns: LarsDns, what: str, number: int, work: Callable[[], None]) -> None:
    """Adds the CPU time of dns for one of `number` things that happen in `work`."""
    cpu = cpu_seconds(dns.pid)
    work()
    figure.measure(f"{what}: CPU of dns", (cpu_seconds(dns.pid) - cpu) / number * 1e6, "µs")
    figure.facts[f"{what}: load average"] = load_average()[0]


def _connected(figure: Figure, dns: LarsDns, agents: Agents, count: int) -> None:
    before = memory_mb(dns.pid)[0]
    _cost(figure, dns, "connection and its modules", count, lambda: agents.connect_in_turn(_EACH, _PATIENCE))
    resident = memory_mb(dns.pid)[0]
    figure.measure("memory with all agents", resident, "MiB")
    figure.measure("memory of a connection and its modules", (resident - before) * 1024 / count, "KiB")


def _pushes(figure: Figure, dns: LarsDns, database: RouteDatabase, routes: Routes, agents: Agents, count: int) -> None:
    delays = []

    def push() -> None:
        for number in range(1, _PUSHES + 1):
            agents.forget()
            committed = database.edit(routes.edit(0, number))
            delays.append(max(agents.await_frames(1, _PATIENCE)) - committed)

    _cost(figure, dns, "push to one agent", _PUSHES * count, push)
    figure.spread("commit to last of all agents", delays, "s", (0.5, 1), {})


def _heartbeats(figure: Figure, dns: LarsDns, agents: Agents, count: int) -> None:
    agents.forget()
    _cost(figure, dns, "heartbeat and its answer", count, lambda: agents.send_in_turn(_HEARTBEAT, INTERVAL))
    figure.facts["heartbeats: bytes answered to an agent"] = round(agents.received / count, 1)


def _reconnect(figure: Figure, dns: LarsDns, agents: Agents, count: int) -> None:
    """All come back at once as soon as a dns that was killed listens again."""
    dns.kill()
    agents.hang_up()
    dns.start()
    dns.until_answering(Routes(_MODULES).module(0), 60)
    begin, cpu = time.monotonic(), cpu_seconds(dns.pid)
    agents.connect()
    if missing := agents.read(_EACH, _PATIENCE):
        raise BenchError(f"{missing} of {count} agents are not answered {_PATIENCE:g} s after dns listens again")
    figure.measure("reconnect of all: time", max(agents.finished(_EACH)) - begin, "s")
    figure.measure("reconnect of all: CPU of dns", cpu_seconds(dns.pid) - cpu, "s")
    figure.facts["reconnect: load average"] = load_average()[0]


def measure_routes(testbed: Testbed, figure: Figure) -> None:
    """1,000,000 routes of which 1 % change a minute, a module of ten hosts at a time; all modules are watched."""
    allow_open_files(1_000)
    routes = Routes(testbed.size(_MANY_MODULES))
    database = testbed.database()
    database.fill(routes.rows(), routes.settings())
    dns = testbed.dns(database)
    started = dns.start()
    figure.measure("start to first answer", dns.until_answering(routes.module(0), _PATIENCE)[0] - started, "s")
    resident, _ = memory_mb(dns.pid)
    figure.measure("memory after loading", resident, "MiB")
    each = routes.modules // _WATCHERS
    requests = [routes.requests(watcher * each, each) for watcher in range(_WATCHERS)]
    with Agents(dns.port, requests, dns.frame_size(routes.module(0))) as agents:
        agents.connect()
        agents.await_frames(each, _PATIENCE)
        agents.forget()
        seconds = _SMALL_CHURN_SECONDS if testbed.small else _CHURN_SECONDS
        idle = _cpu_share(dns, lambda: agents.read(routes.modules, seconds / 2))
        committed: dict[int, float] = {}
        busy = _cpu_share(dns, lambda: _churn(database, routes, agents, committed, seconds))
        delays = [when - committed[a.hosts[0].port - FIRST_PORT] for found in agents.answers() for when, a in found]
    if len(delays) != len(committed):
        raise BenchError(f"of {len(committed)} changes {len(delays)} were pushed")
    figure.measure("idle, CPU of dns", idle * 100, "% of a core")
    figure.measure("with changes, CPU of dns", busy * 100, "% of a core")
    figure.measure("changed module: CPU of dns", (busy - idle) * (seconds + _LAST) / len(committed) * 1e3, "ms")
    figure.measure("memory with changes, most", memory_mb(dns.pid)[1], "MiB")
    figure.spread("commit to frame", delays, "s", (0.5, 0.99, 1), {})
    figure.facts |= {"routes": routes.modules * routes.hosts, "changed modules": len(committed)}
    figure.facts["load average"] = load_average()[0]
    dns.close()


def _cpu_share(dns: LarsDns, work: Callable[[], object]) -> float:
    """The share of a core that dns uses while `work` lasts."""
    begin, cpu = time.monotonic(), cpu_seconds(dns.pid)
    work()
    return (cpu_seconds(dns.pid) - cpu) / (time.monotonic() - begin)


def _churn(database: RouteDatabase, routes: Routes, agents: Agents, committed: dict[int, float], seconds: int) -> None:
    """Changes modules evenly, and notes when each change was committed; takes `seconds` and _LAST."""
    changes = max(1, int(routes.modules * _CHANGED_A_MINUTE * seconds / 60))
    begin = time.monotonic()
    for number in range(1, changes + 1):
        committed[number] = database.edit(routes.edit(number * (routes.modules // (changes + 1)), number))
        agents.read(routes.modules, max(0.0, begin + number * seconds / changes - time.monotonic()))
    agents.read(routes.modules, _LAST)
