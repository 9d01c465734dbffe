"""Weights, zones, settings and drains on their way to agents of each version, from a real lars-dns."""

import socket
from typing import Any

from lars.db.routes import RouteEdit, RouteStore
from lars.host_record import Drain, HostChange
from lars.route import HostAddress, ModuleId
from lars.wire.frames import FrameDecoder
from lars.wire.lars_pb2 import GetRouteResponse
from lars.wire.messages import MessageId
from lars.wire.rich_routes import MAX_RICH_ROUTE, RICH_PEER
from tests.integration.dns.agents import request
from tests.integration.dns.conftest import StartDns
from tests.integration.dns.cpp_agent import REQUESTS, CppAgent
from tests.integration.dns.running import Routes, host
from tests.integration.waiting import until

M = ModuleId(1, 1)
A, B = host(1), host(2)

Host = tuple[int, int, str]
"""ip, weight (100 where there is none) and zone."""


class RecordedAgent:
    """An agent of a version, `peer`, on a plain socket: it asks for M, and records what it is sent."""

    def __init__(self, port: int, peer: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.sendall(request(M, peer))
        self._decoder = FrameDecoder({MessageId.GET_ROUTE_RESPONSE: MAX_RICH_ROUTE} if peer >= RICH_PEER else None)
        self._routes: list[GetRouteResponse] = []

    def route(self) -> tuple[list[Host], str]:
        """The hosts and the settings that it was sent last."""
        while True:
            try:
                data = self.socket.recv(2**20, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            frames = self._decoder.feed(data)
            self._routes += [GetRouteResponse.FromString(body) for number, body in frames if number == 2]
        if not self._routes:
            return [], ""
        last = self._routes[-1]
        hosts = [(h.ip, h.weight if h.HasField("weight") else 100, h.zone) for h in last.host]
        return hosts, last.settings.json


async def knows(reactor: Any, agent: RecordedAgent, hosts: list[Host], settings: str = "") -> None:
    """Waits until the agent was sent just this."""
    await until(reactor, lambda: agent.route() == (hosts, settings), lambda: f"{hosts}; sent {agent.route()}", 5)


async def test_agents_of_each_version_get_what_they_can_read(
    reactor: Any, start_dns: StartDns, sqlite_url: str, sqlite_routes: Routes
) -> None:
    store = RouteStore(sqlite_routes.database)
    change = {A: HostChange(weight=50, zone="eu-1", tags=("x",), note="never sent")}
    await store.edit("test", 1, [RouteEdit(M, frozenset([A, B]), change=change)])
    dns = start_dns(sqlite_url)
    await dns.up()
    old, last, new = (RecordedAgent(dns.port, peer) for peer in (1, 2, RICH_PEER))
    cpp = CppAgent(dns.port)
    try:
        for _ in range(2):
            cpp.send(REQUESTS[M])
            await until(reactor, cpp.routes, "an answer")
        plain: list[Host] = [(A.ip, 100, ""), (B.ip, 100, "")]
        for agent in (old, last):
            await knows(reactor, agent, plain)
        await knows(reactor, new, [(A.ip, 50, "eu-1"), (B.ip, 100, "")])
        await until(reactor, lambda: cpp.routes() == [(M, []), (M, [A, B])], lambda: f"{cpp.routes()}")
        drain = {A: HostChange(drain=Drain(2_000_000_000, "kernel update"))}
        await store.edit("test", 2, [RouteEdit(M, change=drain, settings=lambda _now: {"panic": False})])
        for agent in (old, last):
            await knows(reactor, agent, plain[1:])
        await knows(reactor, new, [(A.ip, 0, "eu-1"), (B.ip, 100, "")], '{"panic":false}')
        await until(reactor, lambda: cpp.routes()[2:] == [(M, [])], lambda: f"{cpp.routes()}")
        await store.end_drains("lars-web", 2_000_000_000)
        for agent in (old, last):
            await knows(reactor, agent, plain)
        await knows(reactor, new, [(A.ip, 50, "eu-1"), (B.ip, 100, "")], '{"panic":false}')
        await until(reactor, lambda: cpp.routes()[3:] == [(M, [A, B])], lambda: f"{cpp.routes()}")
    finally:
        cpp.close()
        for agent in (old, last, new):
            agent.socket.close()


async def test_the_fullest_module_with_weights_and_zones_reaches_an_agent(
    reactor: Any, start_dns: StartDns, sqlite_url: str, sqlite_routes: Routes
) -> None:
    hosts = [HostAddress(2**32 - 1 - n, 65535) for n in range(4000)]
    change = {address: HostChange(weight=999, zone=f"{address.ip:064}") for address in hosts}
    await RouteStore(sqlite_routes.database).edit("test", 1, [RouteEdit(M, frozenset(hosts), change=change)])
    dns = start_dns(sqlite_url)
    await dns.up()
    agent = RecordedAgent(dns.port, RICH_PEER)
    await knows(reactor, agent, [(ip, 999, f"{ip:064}") for ip, _port in sorted(hosts)])
    agent.socket.close()
