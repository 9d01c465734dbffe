"""Figure `fanout`: one change pushed to 5,000 connections that all watch the module."""

import random
import time

from bench.errors import BenchError
from bench.figure import Figure
from bench.load.agents import Agents
from bench.load.routes import Routes
from bench.machine import allow_open_files
from bench.services.testbed import Testbed

_CONNECTIONS = 5_000
_ROUTES = Routes(modules=10)
_POLL_INTERVAL = 0.05
_ROUNDS = 10
_BAR = 0.5
_METRIC = "lars_dns_push_seconds_sum"


def measure_fanout(testbed: Testbed, figure: Figure) -> None:
    """Some edits of the one module, one after the other; the worst of them counts.

    When dns notices a change cannot be seen from outside. It lies between the commit and the first frame's arrival, so
    the bar is held against the time from the commit, which is too long by up to a poll interval.
    """
    connections = testbed.size(_CONNECTIONS)
    if refused := allow_open_files(connections + 200):
        raise BenchError(refused)
    database = testbed.database()
    database.fill(_ROUTES.rows(), _ROUTES.settings())
    dns = testbed.dns(database, _POLL_INTERVAL)
    dns.start()
    dns.until_answering(_ROUTES.module(0), 30)
    from_commit, from_first, own = [], [], []
    with Agents(dns.port, [_ROUTES.requests(0, 1)] * connections, dns.frame_size(_ROUTES.module(0))) as agents:
        agents.connect_in_turn(1, 60)
        for number in range(1, _ROUNDS + 1):
            agents.forget()
            time.sleep(0.3 + random.uniform(0, _POLL_INTERVAL))
            before = dns.metrics()
            committed = database.edit(_ROUTES.edit(0, number))
            arrived = agents.await_frames(1, 30)
            from_commit.append(max(arrived) - committed)
            from_first.append(max(arrived) - min(arrived))
            after = dns.metrics()
            own.append(after.values.get(_METRIC, 0.0) - before.values.get(_METRIC, 0.0))
            for each in agents.answers():
                if [answer.hosts for _when, answer in each] != [_ROUTES.route(0, number)]:
                    raise BenchError(f"a connection was pushed something else: {each}")
    dns.close()
    figure.spread("commit to last frame", from_commit, "s", (0.5, 1), {1: _BAR})
    figure.spread("first to last frame", from_first, "s", (0.5, 1), {})
    figure.spread(f"dns's own ({_METRIC}): noticed to last frame written", own, "s", (0.5, 1), {})
    figure.facts |= {
        "connections": connections,
        "rounds": _ROUNDS,
        "noticed": f"between commit and first frame; the bar is on the time from the commit, which is longer than that "
        f"from the notice by what is left of the poll interval of {_POLL_INTERVAL:g} s",
    }
