"""Agents that stall, send garbage or misdate reports, and too many agents or reports."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest

from lars.db.database import Database
from lars.db.engine import Row, Transaction
from lars.route import HostAddress, ModuleId
from lars.wire.frames import HEADER, FrameDecoder, encode_frame
from lars.wire.lars_pb2 import HostCallResult, ReportStatusAck, ReportStatusRequest
from lars.wire.messages import MessageId, encode_message
from tests.integration.mariadb import MariaDb
from tests.integration.reporter.agents import Agents
from tests.integration.reporter.conftest import StartReporter
from tests.integration.reporter.sums import sums
from tests.integration.waiting import until

M = ModuleId(1, 1)
A = HostAddress(0x0A000001, 80)


@pytest.fixture
def sockets() -> Iterator[ExitStack]:
    """Closes plain sockets after the test."""
    with ExitStack() as stack:
        yield stack


def report(
    seq: int,
    boot: int = 5,
    ts: int | None = None,
    hosts: int = 1,
    succ: int = 10,
    caller: int = 9,
    first: int = A.ip,
) -> bytes:
    """A frame that reports on some hosts; with boot 0, as a C++ agent."""
    results = [HostCallResult(ip=first + n, port=80, succ=succ, err=1) for n in range(hosts)]
    when = int(time.time()) if ts is None else ts
    numbers = {"period_ms": 5000, "boot": boot, "seq": seq} if boot else {}
    message = ReportStatusRequest(modid=1, cmdid=1, caller=caller, results=results, ts=when, **numbers)
    return encode_message(MessageId.REPORT_STATUS_REQUEST, message)


def connect(port: int, sockets: ExitStack) -> socket.socket:
    sock = sockets.enter_context(socket.create_connection(("127.0.0.1", port), 5))
    sock.setblocking(False)
    return sock


def acks(data: bytes) -> list[int]:
    return [ReportStatusAck.FromString(body).seq for _id, body in FrameDecoder().feed(data)]


async def acknowledged(reactor: Any, sock: socket.socket, seq: int) -> None:
    """Waits for the acknowledgement of seq."""
    data = b""

    def is_acknowledged() -> bool:
        nonlocal data
        try:
            data += sock.recv(65536)
        except BlockingIOError:
            return False
        return seq in acks(data)

    await until(reactor, is_acknowledged, lambda: f"an acknowledgement of {seq}; there were {acks(data)}")


async def rows(database: Database, sql: str) -> list[Row]:
    def select(txn: Transaction) -> list[Row]:
        return txn.all(sql)

    return await database.read("look", select)


def is_closed(sock: socket.socket) -> bool:
    try:
        return sock.recv(65536) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


async def test_malformed_report_is_skipped_and_its_connection_kept(
    reactor: Any, start_reporter: StartReporter, database: Database, database_url: str, sockets: ExitStack
) -> None:
    reporter = start_reporter(database_url)
    await reporter.up()
    agent = connect(reporter.port, sockets)
    agent.send(report(1) + encode_frame(3, b"\xff\xff\xff") + encode_frame(77, b"what") + report(0) + report(2))
    await acknowledged(reactor, agent, 2)
    assert reporter.number("skipped_messages_total", reason="malformed") == 2
    assert reporter.number("skipped_messages_total", reason="unknown") == 1
    assert await sums(database) == {(1, 1, *A): (20, 2)}


async def test_undecodable_stream_is_dropped_and_others_are_served(
    reactor: Any, start_reporter: StartReporter, sqlite_url: str, sqlite_database: Database, sockets: ExitStack
) -> None:
    reporter = start_reporter(sqlite_url)
    await reporter.up()
    for garbage in (HEADER.pack(3, -1), HEADER.pack(3, 2**31 - 1), b"GET / HTTP/1.1\r\n\r\n"):
        peer = connect(reporter.port, sockets)
        peer.send(garbage)
        await until(reactor, partial(is_closed, peer), "it to be dropped")
    agent = connect(reporter.port, sockets)
    agent.send(report(1))
    await acknowledged(reactor, agent, 1)
    assert reporter.number("dropped_connections_total", reason="bad_streams") == 3


async def test_report_dated_a_year_off_counts_for_its_arrival(
    reactor: Any, start_reporter: StartReporter, database: Database, database_url: str, sockets: ExitStack
) -> None:
    reporter = start_reporter(database_url)
    await reporter.up()
    agent = connect(reporter.port, sockets)
    began = int(time.time())
    year = 365 * 86400
    agent.send(report(1, ts=began - year) + report(2, ts=began + year) + report(3, ts=0) + report(4, ts=2**32 - 1))
    await acknowledged(reactor, agent, 4)
    for minute, ts in await rows(database, "SELECT minute, s.ts FROM ServerCallHistory, ServerCallStatus AS s"):
        assert began - 60 < minute <= ts <= time.time()
        assert began <= ts
    assert await sums(database) == {(1, 1, *A): (40, 4)}
    assert reporter.number("misdated_reports_total") == 4


async def test_agent_that_says_nothing_is_dropped_and_one_that_has_reported_is_not(
    reactor: Any, start_reporter: StartReporter, sqlite_url: str, sqlite_database: Database, sockets: ExitStack
) -> None:
    reporter = start_reporter(sqlite_url, "--idle-timeout=1")
    await reporter.up()
    agent, silent, stuck = (connect(reporter.port, sockets) for _ in range(3))
    agent.send(report(1))
    stuck.send(report(1)[:-3])
    await acknowledged(reactor, agent, 1)
    await until(reactor, lambda: is_closed(silent) and is_closed(stuck), "them to be dropped")
    agent.send(report(2))
    await acknowledged(reactor, agent, 2)
    assert reporter.number("dropped_connections_total", reason="idle") == 2


async def test_connections_over_the_limit_are_closed_and_counted(
    reactor: Any, start_reporter: StartReporter, sqlite_url: str, sqlite_database: Database, sockets: ExitStack
) -> None:
    reporter = start_reporter(sqlite_url, "--max-connections=3")
    await reporter.up()
    agents = [connect(reporter.port, sockets) for _ in range(3)]
    await until(reactor, lambda: reporter.number("connections") == 3, "three connections")
    refused = connect(reporter.port, sockets)
    await until(reactor, lambda: is_closed(refused), "the fourth to be closed")
    agents[0].send(report(1))
    await acknowledged(reactor, agents[0], 1)
    assert reporter.number("dropped_connections_total", reason="refused") == 1


async def test_stranger_that_writes_rows_without_end_is_slowed_and_others_are_served(
    reactor: Any, start_reporter: StartReporter, sqlite_url: str, sqlite_database: Database, sockets: ExitStack
) -> None:
    reporter = start_reporter(sqlite_url, "--max-rows-per-minute=1000")
    await reporter.up()
    stranger, agent = connect(reporter.port, sockets), connect(reporter.port, sockets)
    for number in range(40):
        stranger.send(report(number + 1, boot=99, hosts=50, first=A.ip + 1000 + 50 * number))
        agent.send(report(number + 1))
        await acknowledged(reactor, agent, number + 1)
    assert reporter.number("throttled_connections_total") == 1
    assert reporter.number("paused_connections") == 1
    [(written,)] = await rows(sqlite_database, "SELECT COUNT(*) FROM ServerCallHistory WHERE ip >= 167773161")
    assert 0 < written <= 700, "500 rows of history are 1,000 in all; a read may hold a few reports more"
    assert reporter.service.log().count("rows in a minute (max_rows_per_minute)") == 1


async def test_connection_that_reports_for_a_crowd_is_dropped(
    reactor: Any, start_reporter: StartReporter, sqlite_url: str, sqlite_database: Database, sockets: ExitStack
) -> None:
    reporter = start_reporter(sqlite_url, "--max-callers=3")
    await reporter.up()
    stranger = connect(reporter.port, sockets)
    stranger.send(b"".join(report(1, boot=n, caller=n) for n in range(1, 621)))
    await until(reactor, lambda: is_closed(stranger), "it to be dropped")
    assert reporter.number("dropped_connections_total", reason="many_callers") == 1
    await until(reactor, lambda: reporter.number("pending_rows") == 0, "all to be written")
    [(callers,)] = await rows(sqlite_database, "SELECT COUNT(DISTINCT caller) FROM ServerCallStatus")
    assert callers == 3


@pytest.mark.parametrize(("options", "refused"), [((), 0), (("--allow-callers=10.0.0.0/8",), 1)])
async def test_forged_caller_is_taken_and_logged_or_refused_as_configured(
    reactor: Any,
    start_reporter: StartReporter,
    sqlite_url: str,
    sqlite_database: Database,
    sockets: ExitStack,
    options: tuple[str, ...],
    refused: int,
) -> None:
    reporter = start_reporter(sqlite_url, *options)
    await reporter.up()
    honest, forger = connect(reporter.port, sockets), connect(reporter.port, sockets)
    honest.send(report(1, boot=1, caller=0x7F000001))
    await acknowledged(reactor, honest, 1)
    forger.send(report(1, boot=2))
    if refused:
        await until(reactor, lambda: is_closed(forger), "the forger to be dropped")
    else:
        await acknowledged(reactor, forger, 1)
    assert reporter.number("unproven_callers_total") == 1 - refused
    assert reporter.number("dropped_connections_total", reason="refused_callers") == refused
    assert reporter.service.log().count("reports for 0.0.0.9, which is not its address") == 1


async def test_memory_is_bounded_by_pausing_the_agents_that_send_most(
    reactor: Any,
    start_reporter: StartReporter,
    shaky_mariadb: MariaDb,
    shaky_url: str,
    shaky_database: Database,
    sockets: ExitStack,
) -> None:
    reporter = start_reporter(shaky_url, "--max-pending-rows=1000")
    await reporter.up()
    busy, quiet = connect(reporter.port, sockets), connect(reporter.port, sockets)
    quiet.send(report(1, boot=8))
    await acknowledged(reactor, quiet, 1)
    shaky_mariadb.pause()
    busy.send(report(1, boot=7, hosts=200) + report(2, boot=7, hosts=200))
    await until(reactor, lambda: reporter.number("paused_connections") == 1, "the busy one to wait")
    for seq in range(3, 6):
        busy.send(report(seq, boot=7, hosts=200))
    quiet.send(report(2, boot=8))
    await until(reactor, lambda: reporter.number("reports_total") == 4, "the other one to be read")
    assert reporter.number("paused_connections") == 1
    assert reporter.number("pending_rows") < 1000
    shaky_mariadb.resume()
    await acknowledged(reactor, busy, 5)
    await acknowledged(reactor, quiet, 2)
    assert (await sums(shaky_database))[1, 1, *A] == (70, 7)
    await until(reactor, lambda: reporter.number("paused_connections") == 0, "both to be read")
    assert reporter.number("pending_rows") == 0


async def test_calls_of_a_cpp_agent_are_derived_from_its_counters(
    reactor: Any, start_reporter: StartReporter, database: Database, database_url: str, sockets: ExitStack
) -> None:
    reporter = start_reporter(database_url)
    await reporter.up()
    agent = connect(reporter.port, sockets)
    agent.send(b"".join(report(0, boot=0, succ=succ) for succ in (100, 110, 125, 4, 9)))
    await until(reactor, lambda: reporter.number("reports_total") == 5, "all to arrive")
    await until(reactor, lambda: reporter.number("pending_rows") == 0, "all to be committed")
    found = await rows(database, "SELECT SUM(succ_cnt), SUM(approximate) FROM ServerCallHistory")
    assert [tuple(map(int, row)) for row in found] == [(25 + 9, 25 + 9 + 1)], "and the 1 failure since the restart"
    assert await rows(database, "SELECT succ_cnt, overload FROM ServerCallStatus") == [(9, "0")]
    assert is_closed(agent) is False
    with pytest.raises(BlockingIOError):
        agent.recv(1)


async def test_hundreds_of_agents_are_all_counted(
    reactor: Any, start_reporter: StartReporter, database: Database, database_url: str, agents: Agents
) -> None:
    reporter = start_reporter(database_url)
    await reporter.up()
    for agent in agents.start(reporter.port, count=300):
        agent.report(M, A, 2, 1)
    for agent in agents.all:
        await agent.is_acknowledged()
    assert await sums(database) == {(1, 1, *A): (600, 300)}
    assert (await rows(database, "SELECT COUNT(*) FROM CallerSeen")) == [(300,)]
