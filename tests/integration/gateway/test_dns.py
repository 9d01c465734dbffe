"""DNS with dig, and with clients that send what is no query."""

import random
import socket
import struct
import time
from collections import Counter
from contextlib import ExitStack
from typing import Any

from twisted.names import dns

from tests.integration.gateway.running_gateway import AgentAndGateway
from tests.integration.waiting import until
from tests.unit.gateway.dns.queries import asked, read


async def test_dig_gets_the_host_to_call(gateway: AgentAndGateway) -> None:
    given: Counter[str] = Counter()
    for _ in range(8):
        [record] = gateway.answers("1.1.lars")
        assert record[:4] == ["1.1.lars.", "0", "IN", "A"]
        given[record[4]] += 1
    assert set(given) == {"10.0.0.1", "10.0.0.2", "10.0.0.3"}
    assert "flags: qr aa rd" in gateway.dig("1.1.lars")


async def test_dig_gets_the_route_with_ports_and_addresses(gateway: AgentAndGateway) -> None:
    for name in ("1.1.lars", "_lars._tcp.1.1.lars"):
        records = gateway.answers(name, "SRV")
        assert [record[1:] for record in records] == [
            ["0", "IN", "SRV", "0", "100", port, f"{target}.1.1.lars."]
            for port, target in (("80", "10-0-0-1"), ("80", "10-0-0-2"), ("81", "10-0-0-3"))
        ]
        additional = gateway.dig(name, "SRV", "+noall", "+additional").splitlines()
        assert [line.split()[::4] for line in additional] == [
            [f"10-0-0-{n}.1.1.lars.", f"10.0.0.{n}"] for n in (1, 2, 3)
        ]
        for line in additional:
            target, *_, ip = line.split()
            assert gateway.answers(target)[0][4] == ip


async def test_dig_gets_what_the_rfcs_say_of_other_questions(gateway: AgentAndGateway) -> None:
    soa = "lars.\t\t\t1\tIN\tSOA\tlars. hostmaster.lars. 1 1 1 1 1"
    for name, kind, status, authority in (
        ("1.1.lars", "AAAA", "NOERROR", soa),
        ("1.1.lars", "TXT", "NOERROR", soa),
        ("1.lars", "A", "NOERROR", soa),
        ("x.1.lars", "A", "NXDOMAIN", soa),
        ("7.7.lars", "A", "NXDOMAIN", soa),
        ("7.7.lars", "SRV", "NXDOMAIN", soa),
        ("10-9-9-9.1.1.lars", "A", "NXDOMAIN", soa),
        ("example.org", "A", "REFUSED", ""),
        (".", "NS", "REFUSED", ""),
    ):
        found = gateway.dig(name, kind)
        assert f"status: {status}," in found, (name, kind)
        assert (authority in found) if authority else ("AUTHORITY: 0" in found), (name, kind)
        assert "ANSWER: 0," in found
    assert gateway.answers("1.1.lars", "ANY", "+notcp")[0][3:] == ["HINFO", '"RFC8482"', '""']
    assert gateway.dig("1.1.lars", "A", "-c", "CH").count("REFUSED") == 1
    assert "status: NOTIMP" in gateway.dig("1.1.lars", "A", "+opcode=STATUS")
    assert "status: BADVERS" in gateway.dig("1.1.lars", "A", "+edns=1", "+noednsneg")


async def test_the_case_of_a_name_is_kept(gateway: AgentAndGateway) -> None:
    assert gateway.answers("1.1.LaRs")[0][0] == "1.1.LaRs."
    assert len(gateway.answers("_LARS._TcP.1.1.lArS", "SRV")) == 3


async def test_what_does_not_fit_a_datagram_comes_over_tcp(gateway: AgentAndGateway) -> None:
    cut = gateway.dig("2.2.lars", "SRV", "+ignore")
    assert "flags: qr aa tc rd" in cut
    assert "ANSWER: 0," in cut
    assert "udp: 1232" in cut
    assert len(gateway.answers("2.2.lars", "SRV")) == 300
    assert len(gateway.answers("2.2.lars", "SRV", "+tcp")) == 300
    assert "OPT" not in gateway.dig("1.1.lars", "SRV", "+noedns")
    assert len(gateway.answers("1.1.lars", "SRV", "+noedns")) == 3
    assert gateway.number("lars_gateway_dns_truncated_total") == 2


async def test_dead_and_hanging_agents_are_servfail_at_once(gateway: AgentAndGateway) -> None:
    assert gateway.answers("1.1.lars")

    async def refused() -> None:
        await until(gateway.reactor, lambda: "SERVFAIL" in gateway.dig("1.1.lars"), "SERVFAIL", 3)
        for kind in ("A", "SRV", "AAAA"):
            begin = time.monotonic()
            assert "SERVFAIL" in gateway.dig("1.1.lars", kind)
            assert time.monotonic() - begin < 1
        assert "NXDOMAIN" in gateway.dig("x.lars")

    gateway.agent.pause()
    await refused()
    gateway.agent.resume()
    await until(gateway.reactor, lambda: gateway.answers("1.1.lars"), "an answer", 5)
    gateway.agent.kill()
    await refused()


async def test_ten_thousand_packets_that_are_no_query_are_counted_and_nothing_else(
    gateway: AgentAndGateway, reactor: Any
) -> None:
    rng = random.Random(16)
    whole = asked("_lars._tcp.1.1.lars", dns.SRV, edns=1232)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", gateway.dns_port))
        client.settimeout(5)
        for number in range(10_000):
            if number % 2:
                packet = rng.randbytes(rng.randrange(1, 600))
            else:
                damaged = bytearray(whole)
                for _ in range(rng.randrange(1, 8)):
                    damaged[rng.randrange(len(damaged))] = rng.randrange(256)
                packet = bytes(damaged[: rng.randrange(1, len(damaged) + 1)])
            client.send(packet)
            if number % 50 == 49:  # the kernel's buffer holds as many
                client.send(b"\7\7" + asked("1.1.lars")[2:])
                while client.recv(65_535)[:2] != b"\7\7":
                    pass
        malformed = gateway.number("lars_gateway_dns_malformed_total")
    await until(reactor, lambda: not gateway.number("lars_gateway_dns_pending"), "the last answers")
    answered = sum(
        gateway.number("lars_gateway_dns_answers_total", rcode=rcode)
        for rcode in ("noerror", "formerr", "servfail", "nxdomain", "notimp", "refused", "badvers")
    )
    assert malformed > 5_000
    assert malformed + answered == 10_000 + 10_000 / 50
    assert len(gateway.answers("1.1.lars")) == 1
    assert not gateway.service.bugs()
    assert len(gateway.service.log().splitlines()) < 40


async def test_queries_share_a_tcp_connection_and_nobody_can_make_it_buffer(
    gateway: AgentAndGateway, reactor: Any
) -> None:
    def framed(message: bytes) -> bytes:
        return struct.pack("!H", len(message)) + message

    with socket.create_connection(("127.0.0.1", gateway.dns_port), 5) as client:
        client.sendall(framed(asked("1.1.lars")) + framed(b"nonsense!!!!!") + framed(asked("2.2.lars", dns.SRV)))
        stream = client.makefile("rb")
        sizes = []
        for _ in range(3):
            [length] = struct.unpack("!H", stream.read(2))
            sizes.append(len(read(stream.read(length)).answers))
        assert sorted(sizes) == [0, 1, 300]
    with socket.create_connection(("127.0.0.1", gateway.dns_port), 5) as greedy:
        greedy.setblocking(False)
        query = framed(asked("2.2.lars", dns.SRV)) * 100
        before = gateway.number("process_resident_memory_bytes")
        taken = 0
        for _ in range(2_000):
            try:
                taken += greedy.send(query)
            except BlockingIOError:
                break
        else:
            raise AssertionError("it reads without end")
        assert gateway.number("process_resident_memory_bytes") - before < 64 * 2**20
        await until(reactor, lambda: bool(gateway.answers("1.1.lars")), "an answer")


async def test_connections_end_when_nothing_is_asked(gateway: AgentAndGateway, reactor: Any) -> None:
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(socket.create_connection(("127.0.0.1", gateway.dns_port), 5))
        await until(reactor, lambda: gateway.number("lars_gateway_dns_connections") == 20, "the connections")
        assert gateway.answers("1.1.lars", "A", "+tcp")
    await until(reactor, lambda: gateway.number("lars_gateway_dns_connections") == 0, "their ends")
