"""Figure `memory`: an agent that knows 10,000 modules of ten hosts, each host chosen once and reported once.

Then all of them are called while the timers run over them: a turn that a timer holds is a wait of some get_host.
"""

import time

from bench.errors import BenchError
from bench.figure import Figure
from bench.load.routes import Routes
from bench.processes.process_tree import tree_memory_mb
from bench.services.fleet import Fleet
from bench.services.lars_agent import WORKER_COUNTS
from bench.services.testbed import Testbed
from lars.route import ModuleId

_MODULES = 10_000
_BAR_MIB = 162.0  # 170 MB
_ROUNDS = 3
_LONGEST_TURN_MS = 10.0
_COUNTED = 600.0
"""Seconds until all reports are in the database, at most."""


def measure_memory(testbed: Testbed, figure: Figure) -> None:
    """Resident memory of the largest process, with one and with three."""
    routes = Routes(testbed.size(_MODULES))
    figure.facts |= {"modules": routes.modules, "hosts a module": routes.hosts}
    for workers in WORKER_COUNTS:
        who = f"workers={workers}"
        with Fleet(testbed, workers, routes.rows()) as fleet:
            modules = [routes.module(index) for index in range(routes.modules)]
            fleet.until_answering(modules[:1], routes.hosts)
            figure.measure(f"{who}: one module", tree_memory_mb(fleet.agent.pid)[0], "MiB")
            begin = time.monotonic()
            for module in modules:
                fleet.client.get_route(*module)  # the first request for it, so the agent asks dns
            fleet.until_answering(modules, routes.hosts)
            figure.facts[f"{who}: modules known after, s"] = round(time.monotonic() - begin, 1)
            _call_each(fleet, modules, routes.hosts)
            begin = time.monotonic()
            fleet.until_counted(routes.modules * routes.hosts, _COUNTED)
            figure.facts[f"{who}: last report to last count, s"] = round(time.monotonic() - begin, 1)
            resident, largest = tree_memory_mb(fleet.agent.pid)
            waits = _waits(fleet, modules)
        figure.measure(f"{who}: all modules", resident, "MiB", at_most=_BAR_MIB)
        figure.measure(f"{who}: all modules, largest so far", largest, "MiB", at_most=_BAR_MIB)
        figure.spread(
            f"{who}: get_host while timers run", waits, "ms", (0.5, 0.99, 0.999, 1), {0.999: _LONGEST_TURN_MS}
        )


def _waits(fleet: Fleet, modules: list[ModuleId]) -> list[float]:
    """Milliseconds that each get_host waits while all modules are called, so that each sweep has something to do."""
    waits = []
    for module in modules * _ROUNDS:
        begin = time.perf_counter()
        host = fleet.client.get_host(*module)
        waits.append((time.perf_counter() - begin) * 1000)
        fleet.client.report(host)
    return waits


def _call_each(fleet: Fleet, modules: list[ModuleId], hosts: int) -> None:
    """Gets every host of every module once, and reports its call."""
    for module in modules:
        chosen = [fleet.client.get_host(*module) for _ in range(hosts)]
        if len(set(chosen)) != hosts:
            raise BenchError(f"of {hosts} hosts of module {module}, {len(set(chosen))} were chosen in {hosts} requests")
        for host in chosen:
            fleet.client.report(host)
