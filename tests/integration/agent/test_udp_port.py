"""The shard's protocol on Twisted's own UDP port and on the agent's faster one: the same answers over real sockets."""

import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IListeningPort, IReadDescriptor, IUDPTransport
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.threads import deferToThread
from zope.interface.verify import verifyObject

from lars.agent.udp_port import UdpPort, WildcardUdpPort, dropped_datagrams, refuse_taken, udp_port
from lars.agent.udp_protocol import ShardProtocol
from lars.route import HostAddress, parse_host, parse_ip
from lars.runtime.listening import CannotListen
from lars.wire.frames import decode_datagram
from lars.wire.lars_pb2 import GetHostResponse
from tests.integration.leftovers import LoggedErrors
from tests.unit.agent.shard import Shard
from tests.unit.agent.test_route_state import M, asking

HOST = parse_host("10.0.0.1:80")


def free_place() -> HostAddress:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return HostAddress(parse_ip("127.0.0.1"), sock.getsockname()[1])


Listen = Callable[[DatagramProtocol], IListeningPort]


@pytest_twisted.async_yield_fixture(params=["twisted", "lars"])  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def listen(request: pytest.FixtureRequest, reactor: Any) -> AsyncIterator[Listen]:
    ports: list[IListeningPort] = []

    def listening(protocol: DatagramProtocol) -> IListeningPort:
        place = free_place()
        port: IListeningPort
        if request.param == "twisted":
            port = reactor.listenUDP(place.port, protocol, interface="127.0.0.1")
        else:
            port = UdpPort(reactor, place, protocol)
            port.startListening()
        ports.append(port)
        return port

    yield listening
    for port in ports:
        await maybeDeferred(port.stopListening)


def exchange(port: int, datagrams: list[bytes], answers: int) -> list[bytes]:
    """Sends datagrams and waits for so many answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        for datagram in datagrams:
            sock.sendto(datagram, ("127.0.0.1", port))
        return [sock.recv(65_536) for _ in range(answers)]


async def test_shard_answers_on_either_port(reactor: Any, listen: Listen) -> None:
    shard = Shard()
    port = listen(ShardProtocol(shard.codec, reactor.seconds))
    number = port.getHost().port  # type: ignore[attr-defined]
    await deferToThread(exchange, number, [asking()], 1)
    shard.take_route(M, [HOST], reactor.seconds() + 600, reactor.seconds())
    answers = await deferToThread(exchange, number, [b"garbage", *[asking()] * 40], 40)
    hosts = [GetHostResponse.FromString(decode_datagram(answer)[1]).host for answer in answers]
    assert {(host.ip, host.port) for host in hosts} == {HOST}
    assert shard.codec.malformed == 1


class Failing(DatagramProtocol):
    """Fails on the datagram b"bad" and echoes all others."""

    noisy = False

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        if datagram == b"bad":
            raise ZeroDivisionError("a bug")
        assert self.transport is not None
        self.transport.write(datagram, addr)


async def test_a_bug_costs_one_datagram_and_one_log_line(reactor: Any, logged_errors: LoggedErrors) -> None:
    port = UdpPort(reactor, free_place(), Failing())
    port.startListening()
    try:
        assert await deferToThread(exchange, port.number, [b"bad", b"bad", b"good"], 1) == [b"good"]
    finally:
        await port.stopListening()
    assert len(logged_errors.take("ZeroDivisionError")) == 1


async def test_port_provides_what_twisted_expects_of_one(reactor: Any) -> None:
    port = UdpPort(reactor, free_place(), Failing())
    port.startListening()
    for interface in (IListeningPort, IReadDescriptor, IUDPTransport):
        verifyObject(interface, port)
    assert dropped_datagrams(port.number) == 0
    await port.stopListening()


def test_taken_port_is_an_error_of_one_line(reactor: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        place = HostAddress(parse_ip("127.0.0.1"), sock.getsockname()[1])
        with pytest.raises(CannotListen, match=r"cannot listen on UDP 127\.0\.0\.1:\d+: Address already in use"):
            UdpPort(reactor, place, Failing())


async def test_port_is_free_again_once_it_has_stopped(reactor: Any) -> None:
    place = free_place()
    for _ in range(2):
        port = UdpPort(reactor, place, Failing())
        port.startListening()
        port.write(b"to itself", ("127.0.0.1", place.port))
        port.connect("127.0.0.1", place.port)
        port.write(b"to its peer")
        assert port.unsent == 0
        await port.stopListening()
    port.write(b"too late", ("127.0.0.1", place.port))
    assert port.unsent == 1


async def test_stopping_port_answers_what_has_come_and_refuses_what_comes_later(reactor: Any) -> None:
    port = UdpPort(reactor, free_place(), Failing())
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as early,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late,
    ):
        for sock in (early, late):
            sock.connect(("127.0.0.1", port.number))
            sock.settimeout(5)
        for number in range(100):
            early.send(b"%d" % number)
        await port.stopListening()
        assert [early.recv(100) for _ in range(100)] == [b"%d" % number for number in range(100)]
        late.send(b"late")
        with pytest.raises(ConnectionRefusedError):
            late.recv(100)


@pytest.mark.parametrize("asked", ["127.0.0.1", "127.0.0.2", "127.9.9.9"])
async def test_answer_leaves_from_the_address_that_was_asked(reactor: Any, asked: str) -> None:
    port = udp_port(reactor, HostAddress(0, free_place().port), Failing())
    port.startListening()

    def ask() -> bytes:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(5)
            sock.connect((asked, port.number))  # takes answers of this address alone
            sock.send(b"hello")
            return sock.recv(100)

    try:
        assert await deferToThread(ask) == b"hello"
        assert port.unsent == 0
    finally:
        await port.stopListening()


async def test_stopping_port_on_all_addresses_answers_from_the_one_that_was_asked(reactor: Any) -> None:
    port = WildcardUdpPort(reactor, HostAddress(0, free_place().port), Failing())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.connect(("127.0.0.2", port.number))
        sock.send(b"hello")
        await port.stopListening()
        assert sock.recv(100) == b"hello"


def test_port_with_an_address_keeps_the_fast_way(reactor: Any) -> None:
    port = udp_port(reactor, free_place(), Failing())
    assert type(port) is UdpPort
    port.stopListening()


def test_taken_port_is_found_without_binding_it(reactor: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        loopback, number = parse_ip("127.0.0.1"), sock.getsockname()[1]
        for ip in (loopback, 0):
            with pytest.raises(CannotListen, match=rf":{number}: Address already in use"):
                refuse_taken(HostAddress(ip, number))
        refuse_taken(HostAddress(parse_ip("127.0.0.2"), number))
    refuse_taken(HostAddress(loopback, number))
    with pytest.raises(CannotListen, match="Cannot assign requested address"):
        refuse_taken(HostAddress(parse_ip("192.0.2.1"), number))
