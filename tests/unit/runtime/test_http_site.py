"""A bounded site: how many connections it has at most, and how all of them end."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from lars.runtime.http_site import BoundedChannel, BoundedSite


class Connection(StringTransport):
    """A client's connection. As on a real one, its end is noticed in a later turn of the clock."""

    def __init__(self, channel: BoundedChannel, clock: Clock) -> None:
        super().__init__()
        self._channel, self._clock = channel, clock
        channel.makeConnection(self)

    def leave(self) -> None:
        self._channel.connectionLost(Failure(ConnectionAbortedError()))

    def abortConnection(self) -> None:
        self._clock.callLater(0, self.leave)


class BoundedSiteTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.site = BoundedSite(self.clock, Resource(), max_connections=2, idle_timeout=5.0)

    def connect(self) -> Connection | None:
        channel = self.site.buildProtocol(None)
        return Connection(channel, self.clock) if channel is not None else None

    def test_connections_beyond_the_limit_are_closed_counted_and_logged_once(self) -> None:
        first, _second = self.connect(), self.connect()
        with capturedLogs() as events:
            self.assertEqual([self.connect(), self.connect()], [None, None])
        self.assertEqual((self.site.open, self.site.refused, len(events)), (2, 2, 1))
        assert first is not None
        first.leave()
        self.assertIsNotNone(self.connect())

    def test_idle_connection_is_closed_after_its_time(self) -> None:
        connection = self.connect()
        assert connection is not None
        self.clock.advance(4.9)
        self.assertFalse(connection.disconnecting)
        self.clock.advance(0.2)
        self.assertTrue(connection.disconnecting)

    def test_drop_all_returns_when_every_connection_has_ended(self) -> None:
        self.connect()
        self.connect()
        dropped = Deferred.fromCoroutine(self.site.drop_all())
        self.assertNoResult(dropped)
        self.clock.advance(0)
        self.successResultOf(dropped)
        self.assertEqual(self.site.open, 0)

    def test_drop_all_returns_at_once_without_connections(self) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.site.drop_all()))

    def test_http2_is_not_offered(self) -> None:
        self.assertEqual(self.site.acceptableProtocols(), [b"http/1.1"])
