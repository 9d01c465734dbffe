"""Figures `rows`, `repeats`, `age`, `agents` and `memory` of lars-reporter."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.errors import BenchError
from bench.exposition import histogram_percentile
from bench.figure import Figure
from bench.load.callers import Caller, Callers, report_body
from bench.machine import allow_open_files
from bench.processes.process_tree import core_wait_seconds, cpu_seconds, memory_mb
from bench.services.database import RouteDatabase
from bench.services.lars_reporter import LarsReporter
from bench.services.testbed import Testbed

_CALLERS = 100
_SECONDS = 60.0
_ROWS_BAR = 15_000.0
_REPEATS_BAR = 100_000.0
_AGE_BAR = 1.0

_MODULES, _HOSTS = 20, 100
"""Of one caller in `rows`: 2,000 hosts in all."""

_FEW_MODULES, _FEW_HOSTS = 5, 20
"""Of one caller in `repeats`."""

_AGENTS = 5_000

_BUSY = 12
"""Callers whose reports of 2,000 hosts are under way at once in `rows`."""


def _caller(reporter: LarsReporter, number: int, modules: int, hosts: int, own_hosts: bool, round_: int = 0) -> Caller:
    """A caller that reports on so many hosts of so many modules, its own or the same as all others."""
    first = (10 << 24) + (number * modules * hosts if own_hosts else 0) + round_ * _CALLERS * modules * hosts
    bodies = [
        report_body((172 << 24) + number, 1, 1 + module, [(first + module * hosts + host, 80) for host in range(hosts)])
        for module in range(modules)
    ]
    return Caller(reporter.port, (round_ << 32) + number + 1, bodies, hosts)


def measure_rows(testbed: Testbed, figure: Figure) -> None:
    """100 callers with 2,000 hosts each, in turn; each result is one status row and one history row."""
    _rows(testbed, figure, "hosts of its own each", own_hosts=True, bar=_ROWS_BAR)
    _rows(testbed, figure, "the same hosts all", own_hosts=False, bar=_ROWS_BAR)


def _rows(testbed: Testbed, figure: Figure, what: str, own_hosts: bool, bar: float) -> None:
    database = testbed.database()
    reporter = testbed.reporter(database)
    with Callers([_caller(reporter, n, _MODULES, _HOSTS, own_hosts) for n in range(_CALLERS)]) as callers:
        callers.report_in_turn(testbed.size(10), _BUSY)  # all keys of status are there after a round
        with _measured(figure, reporter, callers, f"{what}", bar):
            callers.report_in_turn(testbed.size(int(_SECONDS)), _BUSY)
        callers.settle(60)
        _check(database, callers)
    testbed.end_figure()


def measure_repeats(testbed: Testbed, figure: Figure) -> None:
    """100 callers report on the same hosts again and again, each as soon as its window allows."""
    database = testbed.database()
    reporter = testbed.reporter(database)
    with Callers([_caller(reporter, n, _FEW_MODULES, _FEW_HOSTS, True) for n in range(_CALLERS)]) as callers:
        callers.flood(testbed.size(3))
        with _measured(figure, reporter, callers, "repeating keys", _REPEATS_BAR):
            callers.flood(testbed.size(30))
        callers.settle(60)
        _check(database, callers)


def measure_age(testbed: Testbed, figure: Figure) -> None:
    """Half of the load of the bars, steadily: how long a report waits until it is committed."""
    for what, modules, hosts, rate in (
        ("distinct keys", _MODULES, _HOSTS, _ROWS_BAR / 2),
        ("repeating keys", _FEW_MODULES, _FEW_HOSTS, _REPEATS_BAR / 2),
    ):
        database = testbed.database()
        reporter = testbed.reporter(database)
        with Callers([_caller(reporter, n, modules, hosts, True) for n in range(_CALLERS)]) as callers:
            rounds = rate / (modules * hosts)
            callers.pace(testbed.size(5), rounds)
            callers.forget_ages()
            before = reporter.metrics()
            with _measured(figure, reporter, callers, f"{what} at half load", None):
                callers.pace(testbed.size(30), rounds)
            callers.settle(60)
            age = histogram_percentile("lars_reporter_commit_age_seconds", before, reporter.metrics(), 0.99)
            figure.spread(f"{what}, sent to acknowledged", callers.ages, "s", (0.5, 0.99, 1), {0.99: _AGE_BAR})
            if age is not None:
                figure.measure(f"{what}, arrival to commit p99, by its own histogram", age, "s", at_most=_AGE_BAR)
        testbed.end_figure()


def measure_agents(testbed: Testbed, figure: Figure) -> None:
    """5,000 agents with ten hosts each, which report every five seconds."""
    count, period = testbed.size(_AGENTS), 5.0
    if refused := allow_open_files(3 * _AGENTS):
        raise BenchError(refused)
    database = testbed.database()
    reporter = testbed.reporter(database)
    with Callers([_caller(reporter, n, 1, 10, True) for n in range(count)]) as callers:
        callers.pace(2 * period, count / period)
        callers.forget_ages()
        with _measured(figure, reporter, callers, f"{count:,} agents", None):
            callers.pace(testbed.size(40), count / period)
        callers.settle(60)
        figure.spread("sent to acknowledged", callers.ages, "s", (0.5, 0.99, 1), {0.99: _AGE_BAR})
        _check(database, callers)


def measure_memory(testbed: Testbed, figure: Figure) -> None:
    """1,000,000 distinct keys pass through in two minutes: each caller's hosts change with every round."""
    database = testbed.database()
    reporter = testbed.reporter(database)
    figure.measure("memory at start", memory_mb(reporter.pid)[0], "MiB")
    rounds, seconds = 5, testbed.size(120)
    keys = 0
    for round_ in range(rounds):
        made = [_caller(reporter, n, _MODULES, _HOSTS, True, round_) for n in range(_CALLERS)]
        with Callers(made) as callers:
            callers.pace(seconds / rounds, _CALLERS / (seconds / rounds))
            callers.settle(60)
            keys += callers.acknowledged
    resident, largest = memory_mb(reporter.pid)
    figure.measure("memory in the end", resident, "MiB")
    figure.measure("memory, most", largest, "MiB")
    figure.facts["distinct keys"] = keys
    (rows,) = database.one("SELECT COUNT(*) FROM ServerCallStatus")
    if rows != keys:
        raise BenchError(f"{keys} distinct keys were acknowledged, {rows} are in ServerCallStatus")


@contextmanager
def _measured(figure: Figure, reporter: LarsReporter, callers: Callers, what: str, bar: float | None) -> Iterator[None]:
    """Adds how many results were acknowledged a second in the block, and what that cost."""
    done, cpu, waited = callers.acknowledged, cpu_seconds(reporter.pid), core_wait_seconds(reporter.pid)
    before, begin, own = reporter.metrics(), time.monotonic(), time.process_time()
    yield
    seconds = time.monotonic() - begin
    done, cpu = callers.acknowledged - done, cpu_seconds(reporter.pid) - cpu
    after = reporter.metrics()
    figure.measure(f"{what}: results committed", done / seconds, "results/s", at_least=bar)
    figure.measure(f"{what}: CPU of the reporter", cpu / max(1, done) * 1e6, "µs/result")
    counted = {
        name: round((after.values[name] - before.values[name]) / seconds)
        for name in sorted(after.values)
        if name.startswith(("lars_reporter_written_rows", "lars_reporter_transactions_total"))
    }
    figure.facts[what] = {
        "seconds": round(seconds, 1),
        "a second": counted,
        "reporter, share of a core": round(cpu / seconds, 2),
        "reporter waited for a core, s": round(core_wait_seconds(reporter.pid) - waited, 2),
        "callers, share of a core": round((time.process_time() - own) / seconds, 2),
        "database failures": after.values['lars_reporter_database_failures_total{work="store"}'],
        "memory, MiB": [round(figure) for figure in memory_mb(reporter.pid)],
    }


def _check(database: RouteDatabase, callers: Callers) -> None:
    """The sums in the database are those of what was acknowledged."""
    succ, err = database.one("SELECT SUM(succ_cnt), SUM(err_cnt) FROM ServerCallHistory")
    expected = callers.calls()
    if (succ, err) != expected:
        raise BenchError(f"acknowledged {expected} successes and failures; ServerCallHistory sums to {(succ, err)}")
