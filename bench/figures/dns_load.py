"""Figure `load`: a million routes: loaded, changed all at once while dns serves, edited one by one, and idle."""

import random
import time

from bench.errors import BenchError
from bench.figure import Figure
from bench.load.agents import Agents
from bench.load.lag import Probe, add_metric
from bench.load.routes import Routes
from bench.machine import allow_open_files
from bench.processes.process_tree import core_wait_seconds, cpu_seconds, memory_mb
from bench.services.database import RouteDatabase
from bench.services.lars_dns import LarsDns
from bench.services.testbed import Testbed
from lars.route import ModuleId

_MODULES = 100_000
_MEMORY_BAR_MB = 300.0
_LAG_BAR_MS = {0.999: 50.0}
_EDIT_BAR = 1.10
_EDITS = 30
_IDLE = 30.0
_IDLE_PROBED = 20.0

_STILL = ModuleId(9_000, 9_000)
"""The module that the probe asks for; no reload changes it, so the probe is pushed nothing."""


def measure_load(testbed: Testbed, figure: Figure) -> None:
    """Ten hosts in each of 100,000 modules."""
    allow_open_files(1_000)
    routes = Routes(testbed.size(_MODULES))
    database = testbed.database()
    begin = time.monotonic()
    database.fill(routes.rows(), routes.settings())
    database.fill([(*_STILL, (10 << 24) + host, 80, 50, "a") for host in range(1, 11)])
    figure.facts["routes"] = routes.modules * routes.hosts
    figure.facts["filling the database, s"] = round(time.monotonic() - begin, 1)
    dns = testbed.dns(database)
    _start(figure, dns, routes)
    loaded = _Loaded(figure, dns, database, routes)
    loaded.reload("reload, one module in 100 watched", watchers=1, watched=max(1, routes.modules // 100))
    loaded.reload("reload, all modules watched", watchers=100, watched=routes.modules)
    loaded.edit_one_by_one(testbed.size(_EDITS))
    loaded.idle(float(testbed.size(int(_IDLE))), float(testbed.size(int(_IDLE_PROBED))))
    dns.close()


def _start(figure: Figure, dns: LarsDns, routes: Routes) -> None:
    last = routes.modules - 1
    started = dns.start()
    answered, answer = dns.until_answering(routes.module(last), 120)
    if not routes.is_route(answer):
        raise BenchError(f"the first answer is wrong: {answer}")
    figure.measure("start to first answer", answered - started, "s")
    figure.measure("start, CPU of dns", cpu_seconds(dns.pid), "s")
    _measure_memory(figure, dns, "after load")


def _measure_memory(figure: Figure, dns: LarsDns, when: str) -> None:
    resident, largest = memory_mb(dns.pid)
    figure.measure(f"memory {when}", resident, "MiB", at_most=_MEMORY_BAR_MB)
    figure.measure(f"memory {when}, largest so far", largest, "MiB", at_most=_MEMORY_BAR_MB)


class _Loaded:
    """A dns that serves all the routes."""

    def __init__(self, figure: Figure, dns: LarsDns, database: RouteDatabase, routes: Routes) -> None:
        self._figure = figure
        self._dns = dns
        self._database = database
        self._routes = routes
        self._frame_size = dns.frame_size(routes.module(0))
        self._moves = 0

    def _agents(self, watchers: int, watched: int) -> Agents:
        """Connections that watch so many modules together, spread over the whole table."""
        routes, step, each = self._routes, self._routes.modules // watched, watched // watchers
        indexes = range(0, routes.modules, step)
        requests = [
            b"".join(routes.requests(index, 1) for index in indexes[start : start + each])
            for start in range(0, watched, each)
        ]
        return Agents(self._dns.port, requests, self._frame_size)

    def reload(self, what: str, watchers: int, watched: int) -> None:
        """Every port changes in one transaction: until the last watched module is pushed, and the lag until then."""
        each = watched // watchers
        with self._agents(watchers, watched) as agents:
            agents.connect()
            agents.await_frames(each, 120)
            agents.forget()
            self._reload(what, agents, each)

    def _reload(self, what: str, agents: Agents, each: int) -> None:
        figure, dns = self._figure, self._dns
        with Probe(dns, _STILL) as probe:
            probe.connected_at(10)
            time.sleep(1)
            before, cpu, waited = dns.metrics(), cpu_seconds(dns.pid), core_wait_seconds(dns.pid)
            committed = self._database.move_ports(self._routes.modids)
            self._moves += 1
            last = max(agents.await_frames(each, 240))
            time.sleep(1)
            cpu, waited = cpu_seconds(dns.pid) - cpu, core_wait_seconds(dns.pid) - waited
            after = dns.metrics()
            probed = probe.stop().between(committed, last + 0.5)
            for pushes in agents.answers():
                for _when, push in pushes:
                    if not self._routes.is_route(push, self._moves):
                        raise BenchError(f"{what}: the push for module {push.module} is wrong: {push.hosts}")
        figure.measure(f"{what}: commit to last frame", last - committed, "s")
        probed.add_to(figure, f"{what}: lag", _LAG_BAR_MS)
        add_metric(figure, what, before, after)
        figure.facts[f"{what}: CPU of dns, s"] = round(cpu, 2)
        figure.facts[f"{what}: dns waited for a core, s"] = round(waited, 2)
        _measure_memory(figure, dns, f"after {what}")

    def edit_one_by_one(self, count: int) -> None:
        """Edits of one module each, at random moments of the polling."""
        routes = self._routes
        delays = []
        with self._agents(1, max(1, routes.modules // 100)) as agents:
            agents.connect()
            agents.await_frames(max(1, routes.modules // 100), 60)
            for number in range(1, count + 1):
                agents.forget()
                time.sleep(random.uniform(0.5, 1.5))
                index = random.randrange(0, routes.modules, 100)
                committed = self._database.edit(routes.edit(index, 1_000 + number))
                delays.append(agents.await_frames(1, 60)[0] - committed)
                ((_when, push),) = next(agents.answers())
                if not routes.is_route(push, 1_000 + number):
                    raise BenchError(f"the push for module {push.module} is wrong: {push.hosts}")
        self._figure.spread("one edit, commit to frame", delays, "s", (0.5, 0.99, 1), {0.99: _EDIT_BAR})
        self._figure.facts["one edit, commit to frame: edits"] = count

    def idle(self, seconds: float, probed_seconds: float) -> None:
        """Only polls and checks: CPU first, then lag, which costs CPU to measure."""
        time.sleep(12)  # the check that follows an edit is over
        cpu = cpu_seconds(self._dns.pid)
        time.sleep(seconds)
        cpu = cpu_seconds(self._dns.pid) - cpu
        self._figure.measure("idle, CPU of dns", cpu / seconds * 100, "% of a core")
        with Probe(self._dns, _STILL) as probe:
            begin = probe.connected_at(10)
            before = self._dns.metrics()
            time.sleep(probed_seconds)
            after = self._dns.metrics()
            probed = probe.stop().between(begin + 0.1, begin + probed_seconds)
        probed.add_to(self._figure, "idle: lag", _LAG_BAR_MS)
        add_metric(self._figure, "idle", before, after)
        _measure_memory(self._figure, self._dns, "in the end")
