"""Figure `reports` of scale: 20,000 agents that report to one lars-reporter, and what a report and a result cost."""

import time

from bench.errors import BenchError
from bench.figure import Figure
from bench.load.callers import Caller, Callers, report_body
from bench.machine import connections_allowed, load_average
from bench.processes.process_tree import cpu_seconds, memory_mb
from bench.services.testbed import Testbed

_AGENTS = 20_000
_PERIOD = 10.0
"""Seconds between two reports of an agent."""

_SECONDS = 30.0
_HOSTS = (2, 10)
"""Results in a report: two sizes, so that what a report costs can be told from what a result costs."""

_MODULES = 1_000
"""Agents that call the same module share their hosts."""


def measure_reports(testbed: Testbed, figure: Figure) -> None:
    """All agents report in turn, every ten seconds, on hosts that many of them call."""
    count = testbed.size(connections_allowed(_AGENTS))
    figure.facts |= {"agents": count, "seconds between reports of an agent": _PERIOD}
    costs = [_reports(testbed, figure, count, hosts) for hosts in _HOSTS]
    for where, few, many in zip(("reporter", "database"), *costs, strict=True):
        result = (many - few) / (_HOSTS[1] - _HOSTS[0])
        figure.measure(f"CPU of the {where} for a result", result, "µs")
        figure.measure(f"CPU of the {where} for a report besides", few - _HOSTS[0] * result, "µs")


def _reports(testbed: Testbed, figure: Figure, count: int, hosts: int) -> tuple[float, float]:
    """Measures reports of one size; the CPU time of reporter and database for one, in µs."""
    database = testbed.database()
    reporter = testbed.reporter(database, "--max-per-address", str(_AGENTS))
    idle = memory_mb(reporter.pid)[0]
    what = f"{hosts} hosts a report"
    with Callers([_agent(reporter.port, number, hosts) for number in range(count)]) as callers:
        callers.pace(_PERIOD, count / _PERIOD)
        callers.settle(60)
        callers.forget_ages()
        done, begin = callers.acknowledged, time.monotonic()
        cpu, database_cpu, before = cpu_seconds(reporter.pid), testbed.database_cpu_seconds(), reporter.metrics()
        callers.pace(_PERIOD if testbed.small else _SECONDS, count / _PERIOD)
        callers.settle(60)
        reports = (callers.acknowledged - done) / hosts
        cpu, database_cpu = cpu_seconds(reporter.pid) - cpu, testbed.database_cpu_seconds() - database_cpu
        after = reporter.metrics().values
        written = {
            name: (after[name] - value) / reports for name, value in before.named("lars_reporter_written_rows").items()
        }
        figure.measure(f"{what}: reports", reports / (time.monotonic() - begin), "/s")
        figure.measure(f"{what}: CPU of the reporter", cpu / reports * 1e6, "µs/report")
        figure.measure(f"{what}: CPU of the database", database_cpu / reports * 1e6, "µs/report")
        figure.spread(f"{what}: sent to acknowledged", callers.ages, "s", (0.5, 0.99, 1), {})
        figure.measure(f"{what}: memory of a connection", (memory_mb(reporter.pid)[0] - idle) * 1024 / count, "KiB")
        figure.facts[f"{what}: rows a report"] = {name: round(rows, 3) for name, rows in written.items()}
        figure.facts[f"{what}: load average"] = load_average()[0]
        succ, err = database.one("SELECT SUM(succ_cnt), SUM(err_cnt) FROM ServerCallHistory")
        if (succ, err) != callers.calls():
            raise BenchError(f"{callers.calls()} calls are acknowledged; ServerCallHistory sums to {(succ, err)}")
    testbed.end_figure()
    return cpu / reports * 1e6, database_cpu / reports * 1e6


def _agent(port: int, number: int, hosts: int) -> Caller:
    module = number % _MODULES
    called = [((10 << 24) + module * hosts + host, 80) for host in range(hosts)]
    body = report_body((172 << 24) + number, 1, 1 + module, called)
    return Caller(port, number + 1, [body], hosts)
