"""One connection to the console: each part of a request has its time, and a body its limits."""

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from lars.db.engine import DatabaseAway
from lars.web.channel import BODY, CLOSING, HEAD, IDLE, RATE
from lars.web.front import Front
from lars.web.settings import networks
from lars.web.site import MAX_BODY, MAX_FORM, MAX_HELD, MAX_STRANGERS_BODY, WebSite

GET = b"GET / HTTP/1.1\r\nHost: lars\r\n\r\n"
FRONT = Front("", networks("10.9.0.0/16"))


def post(path: bytes = b"/", length: int = 0, *headers: bytes) -> bytes:
    head = [b"POST %s HTTP/1.1" % path, b"Host: lars", b"Content-Length: %d" % length, *headers]
    return b"\r\n".join([*head, b"", b""])


class Page(Resource):
    """Answers with the length of the body, or not yet."""

    isLeaf = True
    wait = False

    def render(self, request: Request) -> Any:
        self.request = request
        body = request.content.read() if request.content else b""
        return NOT_DONE_YET if self.wait else b"%d bytes" % len(body)


class Client(StringTransport):
    """A client's connection."""

    def __init__(self, site: WebSite, address: str = "10.0.0.1") -> None:
        super().__init__(peerAddress=IPv4Address("TCP", address, 4000))
        self.aborted = False
        self.channel = site.buildProtocol(IPv4Address("TCP", address, 4000))
        self.channel.makeConnection(self)

    def abortConnection(self) -> None:
        self.aborted = True
        self.leave()

    def send(self, data: bytes) -> None:
        self.channel.dataReceived(data)

    def leave(self) -> None:
        self.channel.connectionLost(Failure(ConnectionAbortedError()))

    @property
    def statuses(self) -> list[int]:
        return [int(line.split()[1]) for line in self.value().split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


class ChannelCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.page = Page()
        self.asked: list[Deferred[bool]] = []
        self.refusals = 0
        self.answered: list[tuple[bytes, float]] = []
        self.site = WebSite(self.clock, self.page, 4, 2, self.is_known, self.refused, FRONT, self.note_answer)

    async def is_known(self, _request: Request) -> bool:
        self.asked.append(Deferred())
        return await self.asked[-1]

    def refused(self) -> None:
        self.refusals += 1

    def note_answer(self, path: bytes, seconds: float) -> None:
        self.answered.append((path, seconds))

    def tearDown(self) -> None:
        self.assertEqual(self.site.held, 0)


class DeadlineTests(ChannelCase):
    def test_silent_connection_is_closed_and_then_cut(self) -> None:
        client = Client(self.site)
        self.clock.advance(HEAD)
        self.assertEqual((client.disconnecting, client.value(), self.site.late), (True, b"", 1))
        self.clock.advance(CLOSING)
        self.assertTrue(client.aborted)
        self.assertEqual((len(self.site.places), self.clock.getDelayedCalls()), (0, []))

    def test_dripping_bytes_buy_no_time(self) -> None:
        for sent in (b"", post(length=1000)):
            client = Client(self.site)
            client.send(sent)
            for _ in range(int(BODY if sent else HEAD) + 1):
                self.clock.advance(1)
                client.send(b"X")
            self.assertEqual((client.statuses, client.disconnecting), ([408], True))
            client.leave()

    def test_body_that_comes_at_a_fair_rate_has_its_time(self) -> None:
        client = Client(self.site)
        size = RATE * 60
        client.send(post(b"/api/v1/routes", size, b"Authorization: Bearer lars_x"))
        client.send(b"x" * RATE * 3)
        self.asked[0].callback(True)
        for _ in range(57):
            self.clock.advance(1)
            client.send(b"x" * RATE)
        self.assertIn(b"%d bytes" % size, client.value())
        client.leave()

    def test_answer_may_take_as_long_as_it_takes_and_the_next_request_has_its_own_time(self) -> None:
        self.page.wait = True
        client = Client(self.site)
        client.send(GET)
        self.clock.advance(10_000)
        self.assertFalse(client.disconnecting)
        self.page.request.finish()
        self.clock.advance(IDLE - 1)
        client.send(b"GET ")
        self.clock.advance(HEAD - 1)
        self.assertFalse(client.disconnecting)
        self.clock.advance(1)
        self.assertTrue(client.disconnecting)
        client.leave()

    def test_answer_is_noted_with_its_path_and_the_time_from_the_end_of_the_request(self) -> None:
        client, self.page.wait = Client(self.site), True
        client.send(b"GET /modules/1/1?page=2 HTTP/1.1\r\n")
        self.clock.advance(1.0)  # of the head, which is the client's time
        client.send(b"Host: lars\r\n\r\n")
        self.clock.advance(0.25)
        self.assertEqual(self.answered, [])
        self.page.request.finish()
        self.assertEqual(self.answered, [(b"/modules/1/1", 0.25)])
        client.leave()

    def test_client_that_does_not_take_its_last_answer_is_cut(self) -> None:
        client = Client(self.site)
        client.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        self.assertEqual((client.statuses, client.disconnecting), ([200], True))
        self.clock.advance(IDLE + 1)
        self.assertTrue(client.aborted)


class PlaceTests(ChannelCase):
    def test_stranger_who_waits_makes_room_for_another(self) -> None:
        slow, second = Client(self.site), Client(self.site)
        slow.send(b"GET ")
        third = Client(self.site)
        self.assertEqual((slow.aborted, second.aborted, self.site.displaced, self.site.refused), (True, False, 1, 0))
        for client in (second, third):
            client.leave()

    def test_refusal_is_counted_and_reported(self) -> None:
        known = [Client(self.site) for _ in range(2)]
        for client in known:
            client.channel.recognize()
        known += [Client(self.site) for _ in range(2)]
        for client in known[2:]:
            client.channel.recognize()
        self.assertIsNone(self.site.buildProtocol(IPv4Address("TCP", "10.0.0.2", 4000)))
        self.assertEqual((self.refusals, self.site.refused), (1, 1))
        for client in known:
            client.leave()

    def test_known_are_not_displaced(self) -> None:
        first = Client(self.site)
        first.channel.recognize()
        others = [Client(self.site) for _ in range(5)]
        self.assertEqual((first.aborted, [client.aborted for client in others]), (False, [True] * 3 + [False] * 2))
        for client in (first, *others[3:]):
            client.leave()


class BodyTests(ChannelCase):
    def send(self, path: bytes, size: int, *headers: bytes) -> Client:
        client = Client(self.site)
        client.send(post(path, size, *headers))
        for start in range(0, size, 65536):
            client.send(b"x" * min(65536, size - start))
        return client

    def test_strangers_body_is_dropped_unasked_beyond_what_a_sign_in_needs(self) -> None:
        for path, size, status in (
            (b"/sign-in", MAX_STRANGERS_BODY, 200),
            (b"/sign-in", MAX_STRANGERS_BODY + 1, 413),
            (b"/transfer/preview", MAX_BODY, 200),
        ):
            client = self.send(path, size)
            self.assertEqual((client.statuses, self.asked), ([status], []), path)
            self.assertIn(
                {200: b"16384 bytes", 413: b"sign in"}[status] if size < MAX_BODY else b"0 bytes", client.value()
            )
            client.leave()

    def test_nothing_more_is_read_before_it_is_known_whose_body_it_is(self) -> None:
        for known, kept in ((True, b"200000 bytes"), (False, b"0 bytes")):
            client = Client(self.site)
            client.send(post(b"/transfer/preview", 200_000, b"Cookie: lars_session=hers"))
            client.send(b"x" * 65536)
            self.assertEqual(client.producerState, "paused")
            self.asked.pop().callback(known)
            self.assertEqual(client.producerState, "producing")
            for size in (65536, 200_000 - 131072):
                client.send(b"x" * size)
            self.assertIn(kept, client.value())
            client.leave()

    def test_body_that_nobody_can_say_whose_it_is_may_be_sent_again(self) -> None:
        client = Client(self.site)
        client.send(post(b"/transfer/preview", 100_000, b"Cookie: lars_session=hers"))
        client.send(b"x" * 65536)
        self.asked.pop().errback(DatabaseAway("no database"))
        client.send(b"x" * (100_000 - 65536))
        self.assertEqual(client.statuses, [503])
        client.leave()

    def test_client_who_leaves_meanwhile_is_forgotten(self) -> None:
        client = Client(self.site)
        client.send(post(b"/transfer/preview", 100_000, b"Cookie: lars_session=hers"))
        client.send(b"x" * 65536)
        client.leave()
        self.asked.pop().callback(True)
        self.assertEqual(self.site.held, 0)

    def test_larger_bodies_than_any_are_refused_whatever_says_their_length(self) -> None:
        client = self.send(b"/modules/1/1/add", MAX_FORM + 1, b"Cookie: lars_session=hers")
        self.asked.pop().callback(True)
        self.assertEqual(client.statuses, [413])
        client = self.send(b"/api/v1/routes", MAX_BODY + 1)
        self.assertEqual(client.statuses, [413])
        client = Client(self.site)
        client.send(b"POST / HTTP/1.1\r\nHost: lars\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n")
        self.assertEqual(client.statuses, [400])

    def test_all_bodies_together_are_bounded(self) -> None:
        self.page.wait = True
        self.site = WebSite(self.clock, self.page, 9, 9, self.is_known, self.refused, FRONT)
        clients = [Client(self.site) for _ in range(5)]
        for client in clients:
            client.channel.recognize()
            client.send(post(b"/api/v1/routes", MAX_BODY))
            for _ in range(MAX_BODY // 65536):
                client.send(b"x" * 65536)
        self.assertEqual([client.statuses for client in clients], [[], [], [], [], [503]])
        self.assertEqual((self.site.held, self.asked), (MAX_HELD, []))
        for client in clients:
            client.leave()


class ProxyTests(ChannelCase):
    def test_clients_of_a_proxy_share_no_limit_by_address(self) -> None:
        clients = [Client(self.site, "10.9.0.1") for _ in range(4)]
        self.assertEqual(len(self.site.places), 4)
        for client in clients:
            client.leave()

    def test_long_body_of_a_proxys_connection_is_asked_for_whose_it_is_each_time(self) -> None:
        client = Client(self.site, "10.9.0.1")
        for _ in range(2):
            size = MAX_STRANGERS_BODY + 1
            client.send(post(b"/api/v1/routes", size, b"Authorization: Bearer lars_x"))
            client.channel.recognize()
            client.send(b"x" * size)
            self.asked.pop().callback(True)
        self.assertEqual(client.value().count(b"HTTP/1.1 200 OK"), 2)
        client.leave()
