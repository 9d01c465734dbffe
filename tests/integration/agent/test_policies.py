"""An agent whose conf chooses a policy: real hosts that die and come back, seen by calls, log, metrics and explain."""

import re
import socket
import sys
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import gatherResults
from twisted.internet.threads import deferToThread

from lars.client import LarsClient
from lars.route import HostAddress, ModuleId, format_ip, parse_host, shard_of
from lars.wire.frames import decode_datagram
from lars.wire.lars_pb2 import GetHostRequest, GetHostResponse, ReportRequest
from lars.wire.messages import MessageId, encode_message
from tests.integration.client.lone_agent import LoneAgent
from tests.integration.fleet import Commands, StartService
from tests.integration.processes import Child, ReservedPort
from tests.integration.waiting import until

HOST = """
import socket, sys, time
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    print("listens", flush=True)
    while True:
        connection, _peer = server.accept()
        with connection:
            time.sleep(float(sys.argv[2]))
            connection.sendall(b"served")
"""


class Hosts:
    """TCP servers, each a process of its own at a port that it keeps; `times` says how long each call takes."""

    def __init__(self, reactor: Any, folder: Path, times: Sequence[float]) -> None:
        self._ports = [ReservedPort() for _ in times]
        self.names = [f"127.0.0.1:{port.number}" for port in self._ports]
        self.processes = [
            Child(reactor, f"host-{port.number}", [sys.executable, "-c", HOST, str(port.number), str(seconds)], folder)
            for port, seconds in zip(self._ports, times, strict=True)
        ]

    async def up(self) -> None:
        for process in self.processes:
            process.start()
        for process in self.processes:
            await process.says("listens")

    def close(self) -> None:
        for process in self.processes:
            process.close()
        for port in self._ports:
            port.close()


class Caller:
    """A business process that asks for each call, makes it, and reports how it went."""

    def __init__(self, agent: str) -> None:
        self._client = LarsClient(agent, timeout=1.0, cache=False, state_dir="")
        self.calls: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.last: deque[str] = deque(maxlen=90)

    def call(self) -> None:
        host = self._client.get_host(1, 1)
        self.calls[str(host)] += 1
        self.last.append(str(host))
        try:
            with socket.create_connection((host.ip, host.port), 0.5) as connection:
                assert connection.recv(10) == b"served"
        except OSError:
            self.failed[str(host)] += 1
            self._client.report(host, retcode=1, cost=0.001)
        else:
            self._client.report(host, cost=0.001)

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def hosts(reactor: Any, tmp_path: Path) -> Iterator[Hosts]:
    hosts = Hosts(reactor, tmp_path, (0.0, 0.0, 0.0))
    yield hosts
    hosts.close()


@pytest.fixture
def agent(start_service: StartService, tmp_path: Path, hosts: Hosts) -> Iterator[LoneAgent]:
    agent = LoneAgent(
        start_service, tmp_path, {ModuleId(1, 1): [parse_host(name) for name in hosts.names]}, "--policy=adaptive"
    )
    yield agent
    agent.close()


@pytest.fixture
def caller(agent: LoneAgent) -> Iterator[Caller]:
    caller = Caller(agent.address)
    yield caller
    caller.close()


async def test_dead_host_is_ejected_after_a_few_calls_and_gets_its_share_back(
    reactor: Any, hosts: Hosts, agent: LoneAgent, caller: Caller, tmp_path: Path
) -> None:
    async def calls_until(reached: Any, what: str, deadline: float) -> None:
        """A call each hundredth of a second or so."""

        async def one_more() -> bool:
            await deferToThread(caller.call)
            return bool(reached())

        await until(reactor, one_more, lambda: f"{what}; {caller.calls}, {caller.failed}", deadline)

    def explained() -> dict[str, Any]:
        rows = Commands("", agent.address, tmp_path).json("explain", "1", "1")
        assert {row["policy"] for row in rows} == {"adaptive"}
        return {row["host"]: row for row in rows}

    await hosts.up()
    service = await agent.up()
    dead = hosts.names[1]
    await calls_until(lambda: caller.calls.total() >= 300, "calls", 20)
    assert not caller.failed
    assert min(caller.calls.values()) > 60

    hosts.processes[1].kill()
    await calls_until(lambda: f"{dead} ejected (failures" in service.log(), "the host to be ejected", 20)
    assert caller.failed.total() <= 5, caller.failed
    total = caller.calls.total()
    await calls_until(lambda: caller.calls.total() >= total + 150, "calls", 20)
    assert caller.failed.total() <= 8, "the host gets probes only"
    (line,) = re.findall(rf"\(1, 1\) {dead} ejected .*", service.log())
    assert re.search(r"\d+ failed in a row, \d+ of \d+ recent calls, the others' share 0\.0%; probed in \d+ s", line)
    reasons = ("failures_in_a_row", "failures")
    counts = [await agent.counted(f'lars_agent_ejections_total{{reason="{reason}"}}') for reason in reasons]
    assert sum(counts) == 1
    rows = await deferToThread(explained)
    assert [name for name, row in rows.items() if row["state"] == "ejected"] == [dead]
    assert rows[dead]["share"] == 0.0
    assert rows[dead]["why"].split(";")[0] in ("failed while others did not", "unhealthy: connection refused")
    assert rows[dead]["next_probe"] is None, "a health check must pass first"
    assert sum(row["share"] for row in rows.values()) == pytest.approx(1.0, abs=0.001)

    hosts.processes[1].start()
    await calls_until(lambda: caller.last.count(dead) >= 22, "the host to get its share back", 25)
    assert f"{dead} restored (check): full share in" in service.log()
    assert await agent.counted('lars_agent_restorations_total{reason="check"}') == 1

    async def all_healthy() -> bool:
        await deferToThread(caller.call)
        return {row["state"] for row in (await deferToThread(explained)).values()} == {"healthy"}

    await until(reactor, all_healthy, "the host to have warmed up", 10)


class CppCaller:
    """A business process that does as the C++ client does: it asks and reports on one socket, and reports no time."""

    def __init__(self, agent: LoneAgent) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(2.0)
        self._socket.connect(("127.0.0.1", agent.port + shard_of(ModuleId(1, 1), 3)))

    def calls(self, times: int) -> Counter[str]:
        """Makes calls one after the other; how many each host got."""
        made: Counter[str] = Counter()
        for seq in range(times):
            request = GetHostRequest(seq=seq, modid=1, cmdid=1)
            self._socket.send(encode_message(MessageId.GET_HOST_REQUEST, request))
            _id, body = decode_datagram(self._socket.recv(65_536))
            host = GetHostResponse.FromString(body).host
            made[str(HostAddress(host.ip, host.port))] += 1
            with socket.create_connection((format_ip(host.ip), host.port), 2.0) as connection:
                assert connection.recv(10) == b"served"
            report = ReportRequest(modid=1, cmdid=1, host=host, retcode=0)
            self._socket.send(encode_message(MessageId.REPORT_REQUEST, report))
        return made

    def close(self) -> None:
        self._socket.close()


async def test_slow_host_gets_less_of_the_calls_of_clients_that_report_no_time(
    reactor: Any, start_service: StartService, tmp_path: Path
) -> None:
    hosts = Hosts(reactor, tmp_path, (0.001, 0.05, 0.001))
    route = {ModuleId(1, 1): [parse_host(name) for name in hosts.names]}
    agent = LoneAgent(start_service, tmp_path, route)
    await hosts.up()
    await agent.up()
    callers = [CppCaller(agent) for _ in range(3)]
    made: list[Counter[str]] = []
    for _ in range(2):
        counts = await gatherResults([deferToThread(caller.calls, 80) for caller in callers])
        made.append(sum(counts, Counter()))
    slow = hosts.names[1]
    assert made[0][slow] > 0
    assert made[1][slow] < 0.1 * made[1].total(), made
    (row,) = [r for r in Commands("", agent.address, tmp_path).json("explain", "1", "1") if r["host"] == slow]
    assert row["latency"] > 0.01
    assert row["why"].startswith("slow: its calls take ")
    for caller in callers:
        caller.close()
    agent.close()
    hosts.close()


async def test_settings_of_classic_have_no_effect_on_another_policy_and_one_line_says_so(
    start_service: StartService, tmp_path: Path
) -> None:
    conf = tmp_path / "agent.conf"
    conf.write_text("[balance]\npolicy = round_robin\n[loadbalance]\nprobe_num = 11\nerr_rate = 0.2\n")
    agent = LoneAgent(start_service, tmp_path, {}, f"--config={conf}")
    service = await agent.up()
    assert (
        service.log().count("[loadbalance] probe_num, err_rate: no effect on modules with the policy round_robin") == 1
    )
    agent.close()


CPP_CONF = """\
[reporter]
ip = 127.0.0.1
port = 1
[dnsserver]
ip = 127.0.0.1
port = 1

[loadbalance]
probe_num=10
init_succ_cnt=180
init_err_cnt=5
err_rate=0.1
succ_rate=0.5
contin_err_limit=15
contin_succ_limit=15
window_err_rate=0.7
idle_timeout=15
overload_timeout=15
update_timeout=15
"""
"""That of the C++ lars_lb_agent, as it is shipped but for the addresses."""


async def test_conf_file_of_the_cpp_agent_gives_its_rules_exactly(start_service: StartService, tmp_path: Path) -> None:
    a, b, c = route = [parse_host(f"127.0.0.1:{port}") for port in (9001, 9002, 9003)]
    conf = tmp_path / "lars_lb_agent.conf"
    conf.write_text(CPP_CONF)
    agent = LoneAgent(start_service, tmp_path, {ModuleId(1, 1): route}, f"--config={conf}")
    service = await agent.up()
    assert service.log().count("[loadbalance] probe_num is set, which only the policy classic has") == 1
    with LarsClient(agent.address, timeout=1.0, cache=False, state_dir="") as client:
        first = route.index(client.get_host(1, 1).address)
        turns = route[first:] + route[:first]
        assert [client.get_host(1, 1).address for _ in range(8)] == [*turns[1:], *turns * 2]
        hosts = {host.address: host for host in client.get_route(1, 1)}
        for _ in range(14):
            client.report(hosts[a], retcode=1)
        assert Counter(client.get_host(1, 1).address for _ in range(9)) == {a: 3, b: 3, c: 3}
        client.report(hosts[a], retcode=1)
        chosen = [client.get_host(1, 1).address for _ in range(110)]
        assert [number for number, address in enumerate(chosen, 1) if address == a] == list(range(11, 111, 11))
        assert Counter(chosen) == {a: 10, b: 50, c: 50}
        rows = await deferToThread(Commands("", agent.address, tmp_path).json, "explain", "1", "1")
        assert {row["policy"] for row in rows} == {"classic"}
    agent.close()


async def test_agent_without_a_conf_file_is_adaptive(start_service: StartService, tmp_path: Path) -> None:
    agent = LoneAgent(start_service, tmp_path, {ModuleId(1, 1): [parse_host("127.0.0.1:9001")]})
    await agent.up()
    rows = await deferToThread(Commands("", agent.address, tmp_path).json, "explain", "1", "1")
    assert {row["policy"] for row in rows} == {"adaptive"}
    agent.close()
