"""Server-sent events: the newest, never a queue."""

from typing import Any, cast

from twisted.internet.interfaces import IPushProducer
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers
from zope.interface.verify import verifyObject

from lars.web.live.event_stream import EventStream, beat, event

ALIVE = beat(0, "")
ONE, TWO, THREE = (event("now", b"{}", n) for n in (1, 2, 3))


class FakeRequest:
    """What a stream uses of a request."""

    def __init__(self) -> None:
        self.headers = Headers()
        self.written: list[bytes] = []
        self.producer: EventStream | None = None

    def setHeader(self, name: bytes, value: bytes) -> None:
        self.headers.setRawHeaders(name, [value])

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def registerProducer(self, producer: EventStream, streaming: bool) -> None:
        assert streaming
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None


class EventStreamTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.request = FakeRequest()
        self.stream = EventStream(cast(Any, self.request))
        self.request.written.clear()

    def test_event_has_the_form_of_the_standard(self) -> None:
        self.assertEqual(event("now", b'{"a":1}', 7), b'id: 7\nevent: now\ndata: {"a":1}\n\n')

    def test_beat_has_the_age_of_the_figures_and_why_they_are_old(self) -> None:
        self.assertEqual(beat(7.9, "database"), b'event: beat\ndata: {"age": 7, "why": "database"}\n\n')

    def test_stream_is_an_event_stream_that_proxies_do_not_buffer(self) -> None:
        self.assertEqual(self.request.headers.getRawHeaders(b"Content-Type"), [b"text/event-stream; charset=utf-8"])
        self.assertEqual(self.request.headers.getRawHeaders(b"X-Accel-Buffering"), [b"no"])
        verifyObject(IPushProducer, self.stream)

    def test_events_are_written_while_the_client_reads(self) -> None:
        self.stream.send(ONE)
        self.stream.send(ALIVE)
        self.assertEqual(self.request.written, [ONE, ALIVE])

    def test_of_events_during_a_pause_only_the_newest_is_written(self) -> None:
        self.stream.pauseProducing()
        for text in (ONE, TWO, ALIVE):
            self.stream.send(text)
        self.assertEqual(self.request.written, [])
        self.stream.resumeProducing()
        self.stream.send(THREE)
        self.assertEqual(self.request.written, [TWO, THREE])

    def test_ended_stream_writes_nothing_more(self) -> None:
        self.stream.end()
        self.stream.end()
        self.stream.send(ONE)
        self.assertEqual(self.request.written, [])
        self.assertIsNone(self.request.producer)
        self.assertEqual(self.successResultOf(self.stream.ended), b"")

    def test_client_that_is_gone_gets_nothing(self) -> None:
        self.stream.stopProducing()
        self.stream.send(ONE)
        self.assertEqual(self.request.written, [])
