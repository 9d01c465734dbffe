"""A shard that answers states, plain routes, or nothing, on a real socket."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from lars.client.address import AgentAddress
from lars.client.errors import AgentUnavailable
from lars.client.udp_mux import Timer, UdpMux
from lars.gateway.route import Route
from lars.gateway.state_link import UNSUPPORTED_TTL, StateLink
from lars.wire.frames import decode_datagram
from lars.wire.lars_pb2 import GetRouteRequest, GetRouteResponse, HostInfo, RouteStateRequest, RouteStateResponse
from lars.wire.messages import Message, MessageId, decode_message, encode_message
from tests.unit.gateway.routes import MODULE, host, route

INFO = HostInfo(ip=10 << 24 | 1, port=80)
HOST = host("10.0.0.1:80")


def messages(datagrams: Any) -> list[Message | None]:
    return [decode_message(*decode_datagram(datagram)) for datagram in datagrams]


def state(seq: int, **fields: Any) -> bytes:
    answer = RouteStateResponse(seq=seq, modid=1, cmdid=1, **fields)
    return encode_message(MessageId.ROUTE_STATE_RESPONSE, answer)


PLAIN = encode_message(MessageId.API_GET_ROUTE_RESPONSE, GetRouteResponse(modid=1, cmdid=1, host=[INFO]))


class Loop:
    """An event loop whose time is a Clock's, and that reads when it is asked to."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.readers: set[UdpMux] = set()

    def call_later(self, seconds: float, function: Callable[[], None]) -> Timer:
        timer: Timer = self.clock.callLater(seconds, function)
        return timer

    def add_reader(self, mux: UdpMux) -> None:
        self.readers.add(mux)

    def remove_reader(self, mux: UdpMux) -> None:
        self.readers.remove(mux)

    def read(self) -> None:
        for mux in tuple(self.readers):
            mux.read()


class StateLinkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.loop = Loop()
        self.shard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.shard.close)
        self.shard.bind(("127.0.0.1", 0))
        self.shard.settimeout(5)
        self.link = StateLink(AgentAddress("127.0.0.1", self.shard.getsockname()[1]), 0.2, self.loop)
        self.addCleanup(self.link.close)

    def asked(self, count: int) -> list[Message | None]:
        """The next requests that have arrived at the shard; remembers who sent them."""
        datagrams = []
        for _ in range(count):
            datagram, self.client = self.shard.recvfrom(65_536)
            datagrams.append(datagram)
        self.shard.setblocking(False)
        with self.assertRaises(BlockingIOError):
            self.shard.recv(1)
        self.shard.settimeout(5)
        return messages(datagrams)

    def answer(self, datagram: bytes) -> None:
        self.shard.sendto(datagram, self.client)
        self.loop.read()

    @contextmanager
    def asking(self, now: float = 0.0) -> Iterator[list[Any]]:
        found: list[Any] = []
        self.link.ask(MODULE, None, now).addBoth(found.append)
        yield found
        self.assertEqual(self.loop.clock.getDelayedCalls(), [])

    def test_states_are_asked_for_alone_once_they_were_answered(self) -> None:
        with self.asking() as found:
            request, _plain = self.asked(2)
            assert isinstance(request, RouteStateRequest)
            self.answer(state(request.seq, version=7, idle=[INFO]))
        self.assertEqual(found, [route(HOST)])
        with self.asking() as found:
            [request] = self.asked(1)
            assert isinstance(request, RouteStateRequest)
            self.answer(PLAIN)  # the late one
        self.assertEqual(len(found), 1)

    def test_an_older_agent_is_asked_for_plain_routes_for_a_minute(self) -> None:
        with self.asking(0.0):
            self.asked(2)
            self.answer(PLAIN)
        with self.asking(UNSUPPORTED_TTL - 1) as found:
            [request] = self.asked(1)
            self.assertIsInstance(request, GetRouteRequest)
            self.answer(PLAIN)
        [answer] = found
        assert isinstance(answer, Route)
        self.assertEqual(answer.hosts, (HOST,))
        with self.asking(2 * UNSUPPORTED_TTL):
            self.asked(2)
            self.answer(PLAIN)

    def test_a_silent_agent_is_asked_twice_and_then_is_away(self) -> None:
        with self.asking() as found:
            self.asked(2)
            self.loop.clock.advance(0.1)
            self.asked(2)
            self.assertEqual(found, [])
            self.loop.clock.advance(0.1)
        [failure] = found
        self.assertIsInstance(failure.value, AgentUnavailable)
        self.assertIn("within 0.2 s: start lars-agent there", failure.getErrorMessage())
        self.assertFalse(self.link.alive)
        with self.asking():
            request, _plain = self.asked(2)
            assert isinstance(request, RouteStateRequest)
            self.answer(state(request.seq, version=7, idle=[INFO]))
        self.assertTrue(self.link.alive)

    def test_a_closed_port_fails_what_is_asked_at_once(self) -> None:
        self.shard.close()
        with self.asking() as found:
            for _ in range(3):
                self.loop.read()
        self.assertIsInstance(found[0].value, AgentUnavailable)
        self.assertIn("cannot be reached (Connection refused)", found[0].getErrorMessage())

    def test_a_query_that_is_cancelled_leaves_nothing(self) -> None:
        asked = self.link.ask(MODULE, None, 0.0)
        asked.cancel()
        self.failureResultOf(asked)
        self.assertEqual(self.loop.clock.getDelayedCalls(), [])

    def test_closing_fails_what_is_asked(self) -> None:
        asked = self.link.ask(MODULE, None, 0.0)
        self.link.close()
        self.failureResultOf(asked, AgentUnavailable)
        self.assertEqual(self.loop.readers, set())
