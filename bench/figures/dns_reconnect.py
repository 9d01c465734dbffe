"""Figure `reconnect`: 5,000 agents come back at once to a dns that was killed and started again."""

from bench.errors import BenchError
from bench.figure import Figure
from bench.load.agents import Agents
from bench.load.lag import Probe, Probed, add_metric
from bench.load.routes import Routes
from bench.machine import allow_open_files, listen_drops
from bench.processes.process_tree import core_wait_seconds, cpu_seconds
from bench.services.lars_dns import LarsDns
from bench.services.testbed import Testbed

_AGENTS = 5_000
_EACH = 20
_ROUTES = Routes(modules=10_000)
_ROUNDS = 3
_BAR = 5.0
_GIVEN_UP = 30.0
_LAG_BAR_MS = 100.0


def measure_reconnect(testbed: Testbed, figure: Figure) -> None:
    """Connected agents, a kill -9, a start, and all agents at once as soon as dns listens; three times.

    A probe tries to connect all the time, so the moment from which dns listens is known to a few milliseconds; then it
    asks every 5 ms.
    """
    count = testbed.size(_AGENTS)
    if refused := allow_open_files(count + 200):
        raise BenchError(refused)
    database = testbed.database()
    database.fill(_ROUTES.rows(), _ROUTES.settings())
    dns = testbed.dns(database)
    dns.start()
    dns.until_answering(_ROUTES.module(0), 60)
    frame_size = dns.frame_size(_ROUTES.module(0))
    requests = [_ROUTES.requests(agent * _EACH, _EACH) for agent in range(count)]
    figure.facts |= {"agents": count, "modules an agent": _EACH, "modules": _ROUTES.modules, "rounds": _ROUNDS}
    with Agents(dns.port, requests, frame_size) as agents:
        agents.connect_in_turn(_EACH, 60)
        for number in range(1, _ROUNDS + 1):
            _round(figure, dns, agents, number)
    dns.close()


def _round(figure: Figure, dns: LarsDns, agents: Agents, number: int) -> None:
    dns.kill()
    agents.hang_up()
    retries = agents.retries
    dns.start()
    with Probe(dns, _ROUTES.module(0)) as probe:
        listening = probe.connected_at(60)
        before, dropped = dns.metrics(), listen_drops()
        cpu, waited = cpu_seconds(dns.pid), core_wait_seconds(dns.pid)
        agents.connect()
        unanswered = agents.read(_EACH, _GIVEN_UP)
        cpu, waited = cpu_seconds(dns.pid) - cpu, core_wait_seconds(dns.pid) - waited
        arrived = agents.finished(_EACH) + [listening + _GIVEN_UP] * unanswered
        end = max(arrived)
        after = dns.metrics()
        probed: Probed = probe.stop().between(listening, end)
    figure.spread(f"round {number}, answered", [when - listening for when in arrived], "s", (0.5, 0.99, 1), {1: _BAR})
    probed.add_to(figure, f"round {number}, lag", {1: _LAG_BAR_MS})
    add_metric(figure, f"round {number}", before, after)
    figure.facts[f"round {number}: agents not answered after {_GIVEN_UP:g} s, counted as answered then"] = unanswered
    figure.facts[f"round {number}: CPU of dns, s"] = round(cpu, 2)
    figure.facts[f"round {number}: dns waited for a core, s"] = round(waited, 2)
    figure.facts[f"round {number}: SYNs dropped, the listen queue being full"] = listen_drops() - dropped
    figure.facts[f"round {number}: connections refused and made again"] = agents.retries - retries
    _check(agents)


def _check(agents: Agents) -> None:
    for number, each in enumerate(agents.answers()):
        for _when, answer in each:
            if not _ROUTES.is_route(answer):
                raise BenchError(f"agent {number} got a wrong answer for module {answer.module}: {answer.hosts}")
