"""The metrics endpoint on a real port: what real HTTP clients get, and what bad ones cannot do."""

import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from email.message import Message
from http.client import HTTPConnection
from typing import Any

import pytest
import pytest_twisted
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import deferToThreadPool

from lars.metrics.endpoint import MetricsEndpoint
from lars.metrics.registry import labelled_counter, new_registry
from lars.runtime.listening import CannotListen
from tests.integration.waiting import until

LIFETIME = 0.5
"""Seconds that a connection may take in these tests; in a service it has more."""

SMALL = 4096
"""Bytes that a client's socket takes without being read."""


class Service:
    """A service that has metrics, and a client of it."""

    def __init__(self, reactor: Any, place: str = "tcp:0:interface=127.0.0.1") -> None:
        self._reactor = reactor
        self.requests = 0
        self.rows = 0
        self.reason = "no routes yet"
        self.registry: CollectorRegistry = new_registry("lars-kiosk")
        self.registry.register(self)
        self.endpoint = MetricsEndpoint(reactor, place, self.registry, lambda: self.reason, LIFETIME)

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily("lars_kiosk_requests_total", "Requests.", self.requests)
        yield labelled_counter(
            "lars_kiosk_rows_total", "Rows.", "row", {f"{'x' * 1000}{n}": n for n in range(self.rows)}
        )

    @property
    def port(self) -> int:
        assert self.endpoint.port is not None
        address: Any = self.endpoint.port.getHost()
        port: int = address.port
        return port

    async def fetch(self, path: str, method: str = "GET", accept: str = "*/*") -> tuple[int, Message, bytes]:
        """Status, headers and body of one request, by a client that is none of Twisted's."""

        def ask() -> tuple[int, Message, bytes]:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request(method, path, headers={"Accept": accept})
            with connection.getresponse() as response:
                return response.status, response.headers, response.read()

        answer: tuple[int, Message, bytes] = await deferToThreadPool(self._reactor, self._reactor.getThreadPool(), ask)
        return answer

    def connect(self) -> socket.socket:
        """A client that does what a test has it do."""
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        client.connect(("127.0.0.1", self.port))
        client.setblocking(False)
        return client


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def service(reactor: Any) -> AsyncIterator[Service]:
    service = Service(reactor)
    await service.endpoint.start()
    yield service
    await service.endpoint.stop()


def cut(client: socket.socket) -> Callable[[], bool]:
    """Whether the server has ended a connection; reads nothing of what it sent before."""

    def is_cut() -> bool:
        try:
            return client.send(b"x") == 0
        except BlockingIOError:
            return False
        except OSError:
            return True

    return is_cut


async def test_metrics_can_be_read_in_both_formats(service: Service) -> None:
    service.requests = 7
    status, headers, body = await service.fetch("/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    text = {family.name: family for family in parse_text(body.decode())}
    status, headers, body = await service.fetch("/metrics", accept="application/openmetrics-text; version=1.0.0")
    assert (status, headers.get_content_type()) == (200, "application/openmetrics-text")
    openmetrics = {family.name: family for family in parse_openmetrics(body.decode())}
    for families in (text, openmetrics):
        assert families["lars_kiosk_requests"].samples[0].value == 7
        assert families["process_resident_memory_bytes"].samples[0].value > 1_000_000
        assert families["lars_reactor_lag_seconds"].type == "histogram"


async def test_health_and_readiness_are_two_things(service: Service) -> None:
    assert (await service.fetch("/healthz"))[::2] == (200, b"ok\n")
    assert (await service.fetch("/readyz"))[::2] == (503, b"no routes yet\n")
    service.reason = ""
    assert (await service.fetch("/readyz"))[::2] == (200, b"ready\n")


async def test_other_paths_and_methods_are_refused(service: Service) -> None:
    assert (await service.fetch("/"))[0] == 404
    status, headers, _ = await service.fetch("/metrics", "POST")
    assert (status, headers["Allow"]) == (405, "GET, HEAD")
    status, headers, body = await service.fetch("/readyz", "HEAD")
    assert (status, headers["Content-Length"], body) == (503, "14", b"")


async def test_a_turn_that_takes_long_shows_as_lag(reactor: Any, service: Service) -> None:
    def largest() -> float:
        return service.registry.get_sample_value("lars_reactor_lag_max_seconds") or 0.0

    time.sleep(0.15)  # the turn
    await until(reactor, lambda: largest() > 0.1, "the lag to be measured")
    assert largest() < 5


async def test_clients_that_say_nothing_or_drip_are_cut_and_hold_up_nobody(reactor: Any, service: Service) -> None:
    began = reactor.seconds()
    with service.connect() as silent, service.connect() as slow:
        slow.send(b"GET /metrics HTTP/1.1\r\nX-Slow: ")  # and then an x with every look
        assert (await service.fetch("/healthz"))[0] == 200
        await until(reactor, cut(slow), "the slow client to be cut")
        await until(reactor, cut(silent), "the silent client to be cut")
    assert reactor.seconds() - began >= LIFETIME


async def test_a_client_that_does_not_read_is_cut(reactor: Any, service: Service) -> None:
    service.rows = 8000  # 8 MB, more than the kernel takes
    began = reactor.seconds()
    with service.connect() as client:
        client.send(b"GET /metrics HTTP/1.1\r\n\r\n")
        await until(reactor, cut(client), "the client to be cut")
    assert reactor.seconds() - began >= LIFETIME
    service.rows = 0
    assert (await service.fetch("/metrics"))[0] == 200


async def test_garbage_is_refused(reactor: Any, service: Service) -> None:
    for garbage in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"\0" * 100_000, b"GET /\r\n\r\n"):
        with service.connect() as client:
            client.send(garbage)
            await until(reactor, cut(client), "the client to be cut")
    assert (await service.fetch("/healthz"))[0] == 200


async def test_many_scrapers_at_once_are_all_answered(service: Service) -> None:
    answers = await gatherResults([Deferred.fromCoroutine(service.fetch("/metrics")) for _ in range(30)])
    assert {status for status, _, _ in answers} == {200}


async def test_stop_cuts_open_connections_and_frees_the_place(reactor: Any, service: Service) -> None:
    with service.connect() as idle, service.connect() as half:
        half.send(b"GET /met")
        assert (await service.fetch("/healthz"))[0] == 200  # after which those two are accepted
        port = service.port
        await service.endpoint.stop()
        for client in (idle, half):
            client.settimeout(5)
            with pytest.raises(ConnectionResetError):
                client.recv(1)
    again = Service(reactor, f"tcp:{port}:interface=127.0.0.1")
    await again.endpoint.start()
    assert (await again.fetch("/healthz"))[0] == 200
    await again.endpoint.stop()


async def test_a_place_that_is_taken_is_told_in_one_line(reactor: Any, service: Service) -> None:
    other = Service(reactor, f"tcp:{service.port}:interface=127.0.0.1")
    with pytest.raises(CannotListen, match=f"cannot listen on tcp:{service.port}.*Address already in use"):
        await other.endpoint.start()
    await other.endpoint.stop()


async def test_two_services_of_one_process_tell_each_their_own(reactor: Any, service: Service) -> None:
    other = Service(reactor)
    await other.endpoint.start()
    service.requests, other.requests = 1, 2
    for one in (service, other):
        assert f"lars_kiosk_requests_total {one.requests}.0\n".encode() in (await one.fetch("/metrics"))[2]
    await other.endpoint.stop()
