"""Connections end when their time is over, and bodies have a limit."""

from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http import HTTPChannel

from lars.client.host import Host
from lars.gateway.http.answer import Answer, json_answer
from lars.gateway.http.site import IDLE_TIME, MAX_BODY, REQUEST_TIME, GatewaySite

NOWHERE = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"


class SiteTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        agent: Any = None  # no request of these gets as far
        self.site = GatewaySite(self.clock, agent, max_connections=10)
        self.channel, self.transport = self.connected()

    def connected(self) -> tuple[HTTPChannel, StringTransport]:
        channel = cast(HTTPChannel, self.site.buildProtocol(None))
        transport = StringTransport()
        channel.makeConnection(transport)
        return channel, transport

    def later(self, seconds: float) -> bool:
        """Whether the connection is still open after so many seconds."""
        self.clock.advance(seconds)
        self.site.end_late()
        return not self.transport.disconnecting

    def test_a_request_that_drips_is_cut(self) -> None:
        for byte in NOWHERE[: int(REQUEST_TIME) - 1]:
            self.channel.dataReceived(bytes([byte]))
            self.assertTrue(self.later(1))
        self.channel.dataReceived(b"x")
        self.assertFalse(self.later(1.5))
        self.assertEqual(self.site.late, 1)

    def test_a_connection_that_asks_nothing_is_cut(self) -> None:
        self.assertTrue(self.later(REQUEST_TIME))
        self.assertFalse(self.later(0.5))

    def test_an_idle_connection_is_closed_in_time_and_is_not_late(self) -> None:
        self.channel.dataReceived(NOWHERE)
        self.assertIn(b"404 Not Found", self.transport.value())
        self.assertTrue(self.later(IDLE_TIME))
        self.channel.dataReceived(NOWHERE)
        self.assertTrue(self.later(IDLE_TIME))
        self.assertFalse(self.later(0.5))
        self.assertEqual(self.site.late, 0)

    def test_the_time_of_each_request_is_its_own(self) -> None:
        self.assertTrue(self.later(REQUEST_TIME / 2))
        self.channel.dataReceived(NOWHERE)
        self.assertTrue(self.later(IDLE_TIME / 2))
        self.channel.dataReceived(NOWHERE[:5])
        self.assertTrue(self.later(REQUEST_TIME))
        self.assertFalse(self.later(0.5))

    def test_a_body_that_is_too_large_is_not_kept(self) -> None:
        head = b"POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.channel.dataReceived(head)
        piece = b" " * (MAX_BODY // 4)
        for _ in range(5):
            self.channel.dataReceived(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.channel.dataReceived(b"0\r\n\r\n")
        self.assertIn(b"413 Request Entity Too Large", self.transport.value())
        self.assertTrue(self.transport.disconnecting)

    def test_a_client_that_leaves_ends_its_question(self) -> None:
        ended: list[object] = []
        waiting: Deferred[Answer] = Deferred(lambda cancelled: ended.append(cancelled))

        class Waiting:
            def answer(self, *_request: object) -> Deferred[Answer]:
                return waiting

        self.site.api = cast(Any, Waiting())
        self.channel.dataReceived(NOWHERE)
        self.channel.connectionLost(Failure(ConnectionError()))
        self.assertEqual(len(ended), 1)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_a_client_that_leaves_while_the_agent_is_asked_is_no_bug(self) -> None:
        class Asking:
            def pick(self, *_question: object) -> Deferred[Host]:
                return Deferred()

        agent: Any = Asking()
        self.site = GatewaySite(self.clock, agent, max_connections=10)
        channel, _transport = self.connected()
        channel.dataReceived(b"GET /v1/modules/1/1/host HTTP/1.1\r\nHost: x\r\n\r\n")
        channel.connectionLost(Failure(ConnectionError()))
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_an_answer_that_comes_later_is_sent(self) -> None:
        waiting: Deferred[Answer] = Deferred()

        class Waiting:
            def answer(self, *_request: object) -> Deferred[Answer]:
                return waiting

        self.site.api = cast(Any, Waiting())
        self.channel.dataReceived(NOWHERE)
        self.assertEqual(self.transport.value(), b"")
        waiting.callback(json_answer([]))
        self.assertTrue(self.transport.value().endswith(b"Content-Length: 2\r\n\r\n[]"))
        self.assertEqual(self.site.answered[2], 1)
