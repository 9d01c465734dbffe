"""A link to one of several servers leaves one that refuses it as it leaves one that does not answer."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

from twisted.internet.address import IPv4Address
from twisted.internet.protocol import connectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from lars.agent.links.credentials import Credentials
from lars.agent.links.link import REFUSAL, LinkFactory, LinkProtocol, heartbeat_receivers
from lars.agent.settings import Server
from lars.runtime.reactor import IReactor
from lars.runtime.token_file import TokenFile
from lars.wire.lars_pb2 import Heartbeat, Hello
from lars.wire.messages import MessageId, encode_message
from lars.wire.protocol import FrameProtocol

HEARTBEAT = encode_message(MessageId.HEARTBEAT, Heartbeat(interval_ms=10_000))


class Linked(LinkProtocol):
    """A link of nothing but heartbeats."""

    receivers = heartbeat_receivers


class RefusalTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = MemoryReactorClock()
        self.link = LinkFactory(
            "lars-dns", cast(IReactor, self.clock), (Server("10.0.0.1", 7778), Server("10.0.0.2", 7778))
        )
        self.link.protocol = FrameProtocol

    def connect_and_lose(self, after: float, data: bytes = b"") -> float:
        """A connection that ends so many seconds later; how long the link then waits before it tries again."""
        protocol = self.link.buildProtocol(None)
        assert protocol is not None
        protocol.makeConnection(StringTransport())
        self.clock.advance(after)
        if data:
            protocol.dataReceived(data)
        protocol.connectionLost(connectionDone)
        return self.link._retry_after(0)

    def test_server_that_closes_at_once_is_left_for_the_next_more_and_more_slowly(self) -> None:
        waits = []
        for expected in ("10.0.0.2:7778", "10.0.0.1:7778", "10.0.0.2:7778", "10.0.0.1:7778"):
            waits.append(self.connect_and_lose(0.1))
            self.assertEqual(self.link.endpoint.name, expected)
        self.assertGreater(waits[-1], waits[0])

    def test_server_that_has_said_something_is_stuck_to(self) -> None:
        self.connect_and_lose(0.1, b"\x02")
        self.assertEqual(self.link.endpoint.name, "10.0.0.1:7778")

    def test_server_that_was_linked_for_a_while_is_stuck_to_though_nothing_was_said(self) -> None:
        self.connect_and_lose(0.1)
        self.connect_and_lose(REFUSAL)
        self.assertEqual(self.link.endpoint.name, "10.0.0.2:7778")
        self.assertLess(self.connect_and_lose(REFUSAL), 1)


class SilenceTests(SynchronousTestCase):
    """A link whose server falls silent."""

    def setUp(self) -> None:
        self.clock = MemoryReactorClock()
        self.link = LinkFactory(
            "lars-dns", cast(IReactor, self.clock), (Server("10.0.0.1", 7778), Server("10.0.0.2", 7778))
        )
        self.link.protocol = Linked

    def connect(self) -> tuple[Linked, StringTransport]:
        protocol = self.link.buildProtocol(None)
        assert isinstance(protocol, Linked)
        transport = StringTransport(peerAddress=IPv4Address("TCP", "10.0.0.1", 7778))
        protocol.makeConnection(transport)
        return protocol, transport

    def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(1)
            self.link.watch()

    def test_agent_with_nothing_to_send_begins_with_a_heartbeat_and_a_cpp_server_gets_no_other(self) -> None:
        _protocol, transport = self.connect()
        self.pass_time(1000)
        self.assertEqual((transport.value(), transport.disconnecting), (HEARTBEAT, False))
        self.assertTrue(self.link.up)

    def test_server_that_knows_them_is_sent_one_every_ten_seconds(self) -> None:
        protocol, transport = self.connect()
        for _ in range(10):
            protocol.dataReceived(HEARTBEAT)
            self.pass_time(10)
        self.assertEqual(transport.value(), HEARTBEAT * 11)

    def test_server_that_falls_silent_is_left_for_the_next_and_is_not_up_until_it_says_something(self) -> None:
        protocol, transport = self.connect()
        protocol.dataReceived(HEARTBEAT)
        self.pass_time(24)
        self.assertFalse(transport.disconnecting)
        self.pass_time(1)
        self.assertTrue(transport.disconnecting)
        self.assertEqual(self.link.endpoint.name, "10.0.0.2:7778")
        protocol.connectionLost(connectionDone)
        self.assertFalse(self.link.up)
        protocol, transport = self.connect()
        self.assertFalse(self.link.up)
        protocol.dataReceived(HEARTBEAT[:3])
        self.assertTrue(self.link.up)

    def test_server_of_another_kind_is_left_and_tried_again_more_and_more_slowly(self) -> None:
        other = encode_message(MessageId.HEARTBEAT, Heartbeat(interval_ms=10_000, server="lars-reporter"))
        waits = []
        with capturedLogs() as events:
            for _ in range(6):
                protocol, transport = self.connect()
                protocol.dataReceived(other)
                self.assertTrue(transport.disconnecting)
                protocol.connectionLost(connectionDone)
                waits.append(self.link._retry_after(0))
        self.assertGreater(waits[-1], 2 * waits[0])
        texts = [formatEvent(event) for event in events]
        self.assertEqual(
            texts,
            [
                "10.0.0.1:7778 is lars-reporter, not lars-dns: correct the agent's settings; trying the next server",
                "no lars-dns answers: 10.0.0.1:7778 is lars-reporter, 10.0.0.2:7778; trying again",
                "no lars-dns answers: 10.0.0.1:7778 is lars-reporter, 10.0.0.2:7778 is lars-reporter; trying again",
            ],
        )

    def test_server_that_names_itself_and_one_that_does_not_are_kept(self) -> None:
        for kind in ("lars-dns", ""):
            protocol, transport = self.connect()
            protocol.dataReceived(encode_message(MessageId.HEARTBEAT, Heartbeat(interval_ms=10_000, server=kind)))
            self.assertFalse(transport.disconnecting)

    def test_hung_server_that_accepts_connections_is_left_again(self) -> None:
        protocol, _transport = self.connect()
        protocol.dataReceived(HEARTBEAT)
        self.pass_time(25)
        protocol.connectionLost(connectionDone)
        _protocol, transport = self.connect()
        self.pass_time(25)
        self.assertTrue(transport.disconnecting)


class TokenCase(SynchronousTestCase):
    """A link with a token, to servers that may refuse it."""

    TOKEN = "t" * 32

    def setUp(self) -> None:
        path = Path(self.mktemp())
        path.write_text(self.TOKEN, encoding="ascii")
        self.clock = MemoryReactorClock()
        self.link = LinkFactory(
            "lars-dns",
            cast(IReactor, self.clock),
            (Server("10.0.0.1", 7778), Server("10.0.0.2", 7778)),
            credentials=Credentials(TokenFile(str(path))),
        )
        self.link.protocol = Linked

    def connect(self) -> tuple[Linked, StringTransport]:
        protocol = self.link.buildProtocol(None)
        assert isinstance(protocol, Linked)
        transport = StringTransport(peerAddress=IPv4Address("TCP", "10.0.0.1", 7778))
        protocol.makeConnection(transport)
        self.link._linked(protocol)
        return protocol, transport

    def refuse(self, reason: str) -> float:
        """A connection that the server refuses; how long the link waits before it tries again."""
        protocol, _transport = self.connect()
        protocol.dataReceived(encode_message(MessageId.HELLO, Hello(refused=reason)))
        protocol.connectionLost(connectionDone)
        return self.link._retry_after(0)

    def lines(self, action: Callable[[], object]) -> list[str]:
        with capturedLogs() as events:
            action()
        return [event["log_format"].format(**event) for event in events]


class TokenTests(TokenCase):
    def test_token_comes_before_anything_else(self) -> None:
        protocol, transport = self.connect()
        protocol.send(MessageId.HEARTBEAT, Heartbeat(interval_ms=10_000))
        self.assertEqual(transport.value(), encode_message(MessageId.HELLO, Hello(token=self.TOKEN)) + HEARTBEAT)

    def test_agent_with_nothing_to_ask_still_begins_with_a_heartbeat(self) -> None:
        _protocol, transport = self.connect()
        self.link.watch()
        self.assertTrue(transport.value().endswith(HEARTBEAT))

    def test_refusal_is_logged_with_the_servers_reason_and_the_next_server_is_tried_with_backoff(self) -> None:
        waits: list[float] = []
        lines = self.lines(lambda: waits.extend(self.refuse("its token is not one of token_file") for _ in range(9)))
        refusals = [line for line in lines if "refuses this agent:" in line]
        said = "lars-dns 10.0.0.1:7778 refuses this agent: its token is not one of token_file; trying again"
        self.assertEqual(refusals, [said])
        self.assertEqual(len([line for line in lines if "linked to" in line]), 1, "not of each connection")
        self.assertGreater(waits[-1], 5 * waits[0])
        self.assertEqual(self.link.endpoint.name, "10.0.0.2:7778")

    def test_servers_words_cannot_forge_lines(self) -> None:
        [line] = [
            line for line in self.lines(lambda: self.refuse("a\nb" + "c" * 5000)) if "refuses this agent:" in line
        ]
        self.assertNotIn("\n", line)
        self.assertLess(len(line), 400)

    def test_link_that_holds_after_refusals_is_logged(self) -> None:
        self.refuse("no")
        self.connect()
        self.clock.advance(REFUSAL)
        self.assertIn("linked to lars-dns", "".join(self.lines(self.link.watch)))
        self.assertEqual(self.lines(self.link.watch), [])


class ProblemTests(TokenCase):
    """What is wrong with the servers is logged when it changes, not only when the link goes down."""

    def test_problem_that_shows_later_is_logged_and_then_not_again(self) -> None:
        def tries() -> None:
            for _ in range(5):
                self.link._retry_after(1)

        [first] = self.lines(tries)
        self.link.endpoint.next("cannot be used: its certificate has expired")
        [second] = self.lines(tries)
        self.assertEqual(first, "no lars-dns answers: 10.0.0.1:7778, 10.0.0.2:7778; trying again")
        self.assertIn(": 10.0.0.1:7778 cannot be used: its certificate has expired, 10.0.0.2:7778;", second)

    def test_server_that_closes_without_a_word_is_said_to(self) -> None:
        protocol, _transport = self.connect()
        protocol.connectionLost(connectionDone)
        [line] = [line for line in self.lines(lambda: self.link._retry_after(0)) if "no lars-dns" in line]
        self.assertIn("10.0.0.1:7778 closes the connection without a word", line)
