"""Bad input at every door, from peers and from the table: counted, named, and nothing else suffers."""

import socket
import struct
from functools import partial
from typing import Any

from lars.db.engine import Transaction
from lars.route import MAX_HOSTS, ModuleId
from lars.wire.frames import HEADER, MAX_BODY, encode_frame
from lars.wire.lars_pb2 import GetRouteResponse, UnsubscribeRequest
from lars.wire.messages import MessageId, encode_message
from tests.integration.dns.agents import Agents, request
from tests.integration.dns.conftest import StartDns
from tests.integration.dns.running import Routes, RunningDns, host
from tests.integration.waiting import until

M, N, NOBODY = ModuleId(1, 1), ModuleId(1, 2), ModuleId(9, 9)
A, B = host(1), host(2)

ENDS = {
    "HTTP": b"GET / HTTP/1.0\r\n\r\n",
    "TLS": bytes.fromhex("1603010200010001fc0303") + bytes(64),
    "a negative length": HEADER.pack(1, -1),
    "a length over the limit": HEADER.pack(1, MAX_BODY + 1),
    "the largest length": HEADER.pack(1, 2**31 - 1),
}
"""What ends a connection, because nothing after it can be read."""

SKIPPED = {
    "malformed": [
        encode_frame(1, b"\xff\xff\xff"),
        encode_frame(1, b""),  # module (0, 0), which killed the original
        *(request(ModuleId(*ids)) for ids in ((0, 0), (-1, 1), (1, -1), (-(2**31), -(2**31)))),
    ],
    "unknown": [
        encode_frame(0, b""),
        encode_frame(-7, b"x" * 100),
        encode_frame(2**31 - 1, b"\xff" * MAX_BODY),
        encode_message(MessageId.GET_ROUTE_RESPONSE, GetRouteResponse(modid=1, cmdid=1)),
    ],
}
"""What is skipped, by what it is counted as."""


def counted(dns: RunningDns, reason: str) -> float:
    return dns.number("lars_dns_skipped_messages_total", reason=reason)


async def test_bad_streams_are_dropped_and_counted_and_bad_messages_skipped_and_counted(
    reactor: Any, start_dns: StartDns, sqlite_url: str, sqlite_routes: Routes, agents: Agents
) -> None:
    await sqlite_routes.put({M: [A]})
    dns = start_dns(sqlite_url)
    await dns.up()
    agent = await agents.connect(dns.port)
    asking = agents.keep_asking(agent, M)
    for what, data in ENDS.items():
        bad = await agents.connect(dns.port)
        bad.stream.write(request(M) + data + request(M))
        await until(reactor, partial(getattr, bad, "lost"), f"the connection to be dropped after {what}")
    assert dns.number("lars_dns_dropped_connections_total", reason="bad_streams") == len(ENDS)
    odd = await agents.connect(dns.port)
    for frame in (frame for frames in SKIPPED.values() for frame in frames):
        odd.stream.write(frame)
    odd.stream.write(encode_message(MessageId.UNSUBSCRIBE_REQUEST, UnsubscribeRequest(modid=-5, cmdid=0)))
    await odd.answered(M, ModuleId(2**31 - 1, 2**31 - 1))
    assert {reason: counted(dns, reason) for reason in SKIPPED} == {r: len(frames) for r, frames in SKIPPED.items()}
    assert odd.lost is None
    await asking.was_answered()
    assert len(dns.said("lars.wire.factory#warn")) <= 6, "one line for each kind of fault"


async def test_half_open_and_half_sent_connections_hinder_nobody_and_leave_nothing(
    reactor: Any, start_dns: StartDns, sqlite_url: str, sqlite_routes: Routes, agents: Agents
) -> None:
    await sqlite_routes.put({M: [A]})
    dns = start_dns(sqlite_url)
    await dns.up()
    agent = await agents.connect(dns.port)
    await agent.answered(M)
    asking = agents.keep_asking(agent, M)
    linger_not = struct.pack("ii", 1, 0)
    for end in (0, 1, 7, 8, 9, len(request(M))):
        reset = socket.create_connection(("127.0.0.1", dns.port))
        reset.sendall(request(M)[:end])
        reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not)
        reset.close()
        with socket.create_connection(("127.0.0.1", dns.port)) as half:
            half.sendall(request(M)[:end])
            half.shutdown(socket.SHUT_WR)
    await until(reactor, lambda: dns.number("lars_dns_connections") == 1, "all but one to be gone")
    assert dns.number("lars_dns_subscriptions") == 1
    await asking.was_answered()


async def test_bad_requests_for_metrics_hinder_no_agent(
    start_dns: StartDns, sqlite_url: str, sqlite_routes: Routes, agents: Agents
) -> None:
    await sqlite_routes.put({M: [A]})
    dns = start_dns(sqlite_url)
    await dns.up()
    agent = await agents.connect(dns.port)
    asking = agents.keep_asking(agent, M)
    for garbage in (b"\x00" * 1000, request(M), b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", dns.metrics_port)) as scraper:
            scraper.sendall(garbage)
    assert dns.page("/healthz") == (200, "ok\n")
    assert dns.page("/etc/passwd")[0] == 404
    await asking.was_answered()


INSERT = "INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (?, ?, ?, ?)"


async def test_excess_hosts_are_cut_in_a_stable_order_and_named(
    start_dns: StartDns, database_url: str, routes: Routes, agents: Agents
) -> None:
    await routes.put({M: [A]})
    rows = [(*N, *host(number)) for number in range(MAX_HOSTS + 1, 0, -1)]

    def insert_txn(txn: Transaction) -> None:
        txn.execute_many(INSERT, rows)

    await routes.database.write("insert more hosts than allowed", insert_txn)
    dns = start_dns(database_url)
    await dns.up()
    agent = await agents.connect(dns.port)
    await agent.answered(N, deadline=2)
    first = tuple(host(number) for number in range(1, MAX_HOSTS + 1))
    assert agent.hosts(N) == first
    await dns.service.says("1 row of RouteData cannot be served: module (1, 2): 4001 hosts, 4000 at most")
    await routes.put({M: [A, B]})
    await agent.answered(M)
    await agent.knows(M, [A, B])
    assert agent.all_hosts(N) == {first}, "what is cut does not wander"
    assert dns.service.log().count("4000 at most") == 1, "and is told once"


IMPOSSIBLE: dict[str, list[tuple[Any, ...]]] = {
    "mysql": [
        *((0, 0, 10, 80), (2**31, 1, 10, 80), (1, 2**31, 10, 80), (2**32 - 1, 2**32 - 1, 2**32 - 1, 2**32 - 1)),
        *((1, 1, 0, 80), (1, 1, 10, 0), (1, 1, 10, 65536)),
    ],
    "sqlite": [
        *((0, 0, 10, 80), (-1, 1, 10, 80), ("one", 1, 10, 80), (1, 1.5, 10, 80), (2**62, 2**62, 2**62, 2**62)),
        *((1, 1, "10.0.0.1", 80), (1, 1, -10, 80), (1, 1, 2**32, 80), (1, 1, 10, 80.5), (1, 1, b"\x01", 80)),
    ],
}
"""Rows that an engine's columns take and no route can be made of."""


async def test_rows_that_cannot_be_a_route_are_named_and_the_rest_is_served(
    start_dns: StartDns, database_url: str, routes: Routes, agents: Agents
) -> None:
    rows = IMPOSSIBLE[routes.database.engine.name]
    await routes.put({M: [A]})
    for row in rows:
        await routes.run(INSERT, *row)
    dns = start_dns(database_url)
    await dns.up()
    agent = await agents.connect(dns.port)
    await agent.answered(M, NOBODY)
    assert (agent.hosts(M), agent.hosts(NOBODY)) == ((A,), ())
    await dns.service.says(f"{len(rows)} rows of RouteData cannot be served: ")
    for row in rows:
        await routes.run("INSERT INTO RouteChange (modid, cmdid, version) VALUES (?, ?, 5)", *row[:2])
    await routes.put({M: [A, B]})
    await agent.knows(M, [A, B])
    assert dns.faults == []
