"""A link to one of several servers leaves one that refuses it as it leaves one that does not answer."""

from typing import cast

from twisted.internet.protocol import connectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase

from lars.agent.links.link import REFUSAL, LinkFactory
from lars.agent.settings import Server
from lars.runtime.reactor import IReactor
from lars.wire.protocol import FrameProtocol


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
