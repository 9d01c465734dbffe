"""Agents as lars-dns sees them: they record every route that they receive, and when."""

import socket
from collections.abc import Iterable
from typing import Any, NamedTuple

from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IAddress
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from lars.route import HostAddress, ModuleId
from lars.wire.factory import FrameFactory
from lars.wire.frames import FrameDecoder
from lars.wire.lars_pb2 import GetRouteRequest, GetRouteResponse
from lars.wire.messages import MessageId, encode_message
from lars.wire.protocol import FrameProtocol
from tests.integration.waiting import until

AT_ONCE = 0.5
"""Seconds within which lars-dns answers, whatever its database does."""

Hosts = tuple[HostAddress, ...]


class ReceivedRoute(NamedTuple):
    """One route that lars-dns sent, as an answer or as a push. `at` is in reactor seconds."""

    at: float
    module: ModuleId
    hosts: Hosts


class Agent(FrameProtocol):
    """One connection of a Python agent."""

    factory: "Agents"

    def __init__(self) -> None:
        super().__init__()
        self.received: list[ReceivedRoute] = []
        self.lost: Failure | None = None
        self.slowest = 0.0
        """How long the slowest answer took so far, in seconds."""
        self._asked: dict[ModuleId, float] = {}

    def peer_lost(self, reason: Failure) -> None:
        self.lost = reason

    def on_route(self, response: GetRouteResponse) -> None:
        now = self.factory.clock.seconds()
        module = ModuleId(response.modid, response.cmdid)
        self.received.append(
            ReceivedRoute(now, module, tuple(HostAddress(host.ip, host.port) for host in response.host))
        )
        self.slowest = max(self.slowest, now - self._asked.pop(module, now))

    receivers = {MessageId.GET_ROUTE_RESPONSE: on_route}

    def ask(self, *modules: ModuleId) -> None:
        """Asks for modules; those it waits for an answer of are not asked for again."""
        fresh = [module for module in modules if module not in self._asked]
        self._asked.update(dict.fromkeys(fresh, self.factory.clock.seconds()))
        self.stream.write(b"".join(request(module) for module in fresh))

    def hosts(self, module: ModuleId) -> Hosts | None:
        """The newest route of a module that it received; None if none."""
        return next((route.hosts for route in reversed(self.received) if route.module == module), None)

    def all_hosts(self, module: ModuleId) -> set[Hosts]:
        """Every route of a module that it ever received."""
        return {route.hosts for route in self.received if route.module == module}

    async def answered(self, *modules: ModuleId, deadline: float = AT_ONCE) -> None:
        """Asks for modules and waits for all answers."""
        self.ask(*modules)
        await until(
            self.factory.clock,
            lambda: not self._asked.keys() & set(modules),
            lambda: f"answers for {sorted(self._asked)[:5]}; connection lost: {self.lost}",
            deadline,
        )

    async def knows(self, module: ModuleId, hosts: Iterable[HostAddress], deadline: float = 5.0) -> None:
        """Waits until just these hosts are the newest route of a module that it received."""
        wanted = tuple(sorted(hosts))
        await until(
            self.factory.clock,
            lambda: self.hosts(module) == wanted,
            lambda: f"{module} to be {wanted}; it is {self.hosts(module)}",
            deadline,
        )


class Agents(FrameFactory):
    """The agents of one test."""

    protocol = Agent

    def __init__(self, reactor: Any) -> None:
        super().__init__(reactor)
        self._reactor = reactor
        self._asking: list[Asking] = []

    def buildProtocol(self, addr: IAddress | None) -> Any:
        return super().buildProtocol(addr)

    async def connect(self, port: int) -> Agent:
        """A new agent, connected to a port of this machine."""
        agent = await TCP4ClientEndpoint(self._reactor, "127.0.0.1", port).connect(self)
        assert isinstance(agent, Agent)
        return agent

    def keep_asking(self, agent: Agent, *modules: ModuleId) -> "Asking":
        """An agent that asks all the time from now on, to see that it is answered throughout."""
        self._asking.append(Asking(self._reactor, agent, *modules))
        return self._asking[-1]

    def drop_all(self) -> None:
        """Ends every connection now."""
        for asking in self._asking:
            asking.stop()
        for connection in tuple(self.connections):
            connection.end()


class Asking:
    """Asks for modules fifty times a second."""

    def __init__(self, reactor: Any, agent: Agent, *modules: ModuleId) -> None:
        self._agent = agent
        self._modules = modules
        self._loop = LoopingCall(agent.ask, *modules)
        self._loop.clock = reactor
        self._loop.start(0.02)

    def stop(self) -> None:
        """Asks no more."""
        if self._loop.running:
            self._loop.stop()

    async def was_answered(self) -> None:
        """Asks no more, and fails unless every question was answered at once."""
        self.stop()
        await self._agent.answered(*self._modules)
        assert self._agent.slowest < AT_ONCE, f"an answer took {self._agent.slowest:.2f} s"


class DeafAgent:
    """An agent on a plain socket that asks and does not read, until `read`; two answers of 40 kB fill its buffers."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 500)  # keeps the other side's buffer small too
        self.socket.connect(("127.0.0.1", port))
        self.routes: list[Hosts] = []
        self._decoder = FrameDecoder()

    def ask(self, module: ModuleId, times: int) -> None:
        """Asks for a module so many times."""
        self.socket.sendall(request(module) * times)

    def read(self) -> list[Hosts]:
        """Reads what has come; all routes so far."""
        while True:
            try:
                data = self.socket.recv(2**20, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return self.routes
            for _message_id, body in self._decoder.feed(data):
                route = GetRouteResponse.FromString(body)
                self.routes.append(tuple(HostAddress(host.ip, host.port) for host in route.host))


def request(module: ModuleId, peer: int = 1) -> bytes:
    """A GetRouteRequest as a frame, of a Python agent or, with peer 0, of a C++ one."""
    message = GetRouteRequest(modid=module.modid, cmdid=module.cmdid, peer=peer)
    return encode_message(MessageId.GET_ROUTE_REQUEST, message)
