"""The whole loop: a route in the database, a host for a business process, its report back in the database."""

import socket
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lars.db.database import Database
from lars.db.engine import Transaction
from lars.errors import LarsError
from tests.integration.fleet import Commands, Fleet, StartService
from tests.integration.mariadb import MariaDb
from tests.integration.processes import ReservedPort, free_udp_base
from tests.integration.waiting import until

A, B = "127.0.0.1:9001", "127.0.0.1:9002"


@pytest.fixture
def fleet(reactor: Any, start_service: StartService, database_url: str, tmp_path: Path) -> Iterator[Fleet]:
    """Separate processes, once on each engine."""
    fleet = Fleet(reactor, start_service, database_url, tmp_path)
    yield fleet
    fleet.close()


@pytest.fixture
def mariadb_fleet(reactor: Any, start_service: StartService, own_mariadb: MariaDb, tmp_path: Path) -> Iterator[Fleet]:
    """Separate processes on a MariaDB server that the test may kill."""
    fleet = Fleet(reactor, start_service, own_mariadb.url(own_mariadb.new_database()), tmp_path)
    yield fleet
    fleet.close()


async def test_route_reaches_the_agent_and_reports_reach_the_database(fleet: Fleet) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A, B)
    await fleet.serves(A, B, deadline=3)
    answers = [fleet.commands.ok("get-host", "1", "1").strip() for _ in range(4)]
    assert answers in ([A, B, A, B], [B, A, B, A])
    for _ in range(2):  # each command is another process: no process ejects a host alone
        fleet.commands.ok("report", "1", "1", A, "1")
    for _ in range(38):
        host = next(host for host in fleet.client.get_route(1, 1) if str(host) == A)
        fleet.client.report(host, retcode=1)
    chosen = Counter(str(fleet.client.get_host(1, 1)) for _ in range(110))
    assert chosen == {B: 110}, "the failing host is not even probed yet"
    await fleet.counts(0, 40, deadline=12)
    states = {f"{row['ip']}:{row['port']}": row["state"] for row in fleet.commands.json("status", "1", "1")}
    assert states == {A: "ejected", B: "healthy"}
    fleet.commands.ok("route", "rm", "1", "1", A)
    await fleet.serves(B, deadline=3)
    for service in (fleet.agent, fleet.reporter, fleet.dns):
        await service.stopped()


async def test_stack_does_the_same_in_one_process(reactor: Any, start_service: StartService, tmp_path: Path) -> None:
    agent = f"127.0.0.1:{free_udp_base(3)}"
    with ReservedPort() as dns, ReservedPort() as reporter:
        stack = start_service(
            "lars",
            f"--dns-listen=tcp:{dns.number}:interface=127.0.0.1",
            f"--reporter-listen=tcp:{reporter.number}:interface=127.0.0.1",
            f"--agent-listen={agent}",
            "--gateway-listen=",
        )
        commands = Commands(f"sqlite:///{tmp_path}/lars.db", agent, tmp_path)
        await stack.says("Lars is up")
        commands.ok("route", "add", "1", "1", A, B)
        await until(reactor, lambda: commands.run("get-host", "1", "1").returncode == 0, "a host", 3)
        assert sorted(commands.json("get-route", "1", "1"), key=str)
        for _ in range(2):
            commands.ok("report", "1", "1", A, "1")
        assert {commands.ok("get-host", "1", "1").strip() for _ in range(4)} == {B}, "the first run of the README"
        await until(reactor, lambda: sum(row["err"] for row in commands.json("status", "1", "1")) == 2, "a count", 12)
        await stack.stopped()


async def test_agent_answers_throughout_while_any_other_is_killed_and_all_recovers(
    mariadb_fleet: Fleet, own_mariadb: MariaDb
) -> None:
    fleet = mariadb_fleet
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A)
    await fleet.serves(A)
    calls = 0
    ports = iter(range(9100, 9200))
    for service in (fleet.dns, fleet.reporter, own_mariadb):
        service.kill()
        for _ in range(20):
            fleet.client.report(fleet.client.get_host(1, 1))
            calls += 1
        service.start()
        if service is own_mariadb:
            await own_mariadb.answers()
        known = fleet.hosts()
        new = f"127.0.0.1:{next(ports)}"
        fleet.commands.ok("route", "add", "1", "1", new)
        await fleet.serves(*known, new, deadline=25)
        for _ in range(20):
            fleet.client.report(fleet.client.get_host(1, 1))
            calls += 1
        await fleet.counts(calls, 0, deadline=30)


async def test_agent_killed_and_started_again_answers_from_its_saved_routes_with_all_else_down(fleet: Fleet) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A)
    await fleet.serves(A)
    routes = fleet.agent.folder / "state" / "routes.2.json"
    await until(fleet.dns._reactor, lambda: routes.exists() and A in routes.read_text(), "the routes to be saved")
    for service in (fleet.agent, fleet.dns, fleet.reporter):
        service.kill()
    fleet.agent.start()
    await fleet.agent.says("starting up", times=2, deadline=20)  # what comes before is the interpreter's own start
    await fleet.serves(A, deadline=2)


async def test_garbage_is_counted_and_stops_nothing(reactor: Any, fleet: Fleet) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A)
    await fleet.serves(A)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for shard in range(3):
            for garbage in (b"", b"\x00", b"\xff" * 1000, b"\x04\x00\x00\x00\x04\x00\x00\x00\xff\xff\xff\xff"):
                sock.sendto(garbage, ("127.0.0.1", fleet.agent_port + shard))
    for port in fleet.ports:
        for garbage in (b"GET / HTTP/1.0\r\n\r\n", b"\xff" * 64, b"\x01\x00\x00\x00\x02\x00\x00\x00\xff\xff"):
            with socket.create_connection(("127.0.0.1", port.number)) as stream:
                stream.sendall(garbage)
    fleet.client.report(fleet.client.get_host(1, 1))
    fleet.commands.ok("route", "add", "1", "1", B)
    await fleet.serves(A, B)
    await fleet.counts(1, 0)


async def test_impossible_rows_in_the_table_are_named_and_the_rest_is_served(
    fleet: Fleet, open_database: Callable[[str], Database]
) -> None:
    await fleet.up()
    rows = [(1, 1, 2130706433, 0), (1, 1, 2130706433, 70000), (0, 0, 2130706433, 80), (1, 1, 0, 80)]

    def write_txn(txn: Transaction) -> None:
        insert = "INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (?, ?, ?, ?)"
        txn.execute_many(insert, rows)

    await open_database(fleet.database_url).write("write impossible rows", write_txn)
    fleet.commands.ok("route", "add", "1", "1", A)
    await fleet.serves(A)
    await fleet.dns.says("4 rows of RouteData cannot be served")
    assert "no host has ip 2130706433 and port 70000" in fleet.dns.log()
    checked = fleet.commands.run("db", "check")
    assert checked.returncode == 1
    assert "port 70000" in checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("plugin", "options", "reason"),
    [
        ("lars-dns", ["--db", "postgres://x"], "mysql://"),
        ("lars-dns", ["--config", "missing.conf"], "missing.conf"),
        ("lars-dns", ["--listen", "tcp:eighty"], "eighty"),
        ("lars-dns", ["--poll-interval", "0"], "--poll-interval"),
        ("lars-reporter", ["--max-connections", "-1"], "--max-connections"),
        ("lars-agent", ["--listen", "no..name:8888"], "no..name"),
        ("lars-agent", ["--listen", "127.0.0.1:65535"], "65535"),
        ("lars-agent", ["--dns", "nowhere"], "nowhere"),
        ("lars", ["--agent-config", "missing.conf"], "missing.conf"),
    ],
)
async def test_bad_option_is_one_line_and_status_1(
    start_service: StartService, plugin: str, options: list[str], reason: str
) -> None:
    service = start_service(plugin, *options)
    assert await service.ended() == 1
    assert reason in service.log().splitlines()[-1]


async def test_taken_port_is_one_line_and_status_1(
    start_service: StartService, sqlite_url: str, tmp_path: Path
) -> None:
    commands = Commands(sqlite_url, "", tmp_path)
    commands.ok("db", "init")
    with ReservedPort() as port:
        place = f"--listen=tcp:{port.number}:interface=127.0.0.1"
        first = start_service("lars-dns", "--db", sqlite_url, place)
        await first.says("answers on")
        second = start_service("lars-dns", "--db", sqlite_url, place, name="second")
        assert await second.ended() == 1
    assert f"cannot listen on tcp:{port.number}" in second.log()


async def test_services_started_before_their_database_wait_for_it(
    reactor: Any, start_service: StartService, own_mariadb: MariaDb, tmp_path: Path
) -> None:
    url = own_mariadb.url(own_mariadb.new_database())
    Commands(url, "", tmp_path).ok("db", "init")
    own_mariadb.kill()
    with ReservedPort() as port:
        dns = start_service("lars-dns", "--db", url, f"--listen=tcp:{port.number}:interface=127.0.0.1")
        await dns.says("not serving yet")
        own_mariadb.start()
        await own_mariadb.answers()
        await dns.says("answers on", deadline=25)
    assert dns.log().count("not serving yet") == 1


async def test_client_of_an_agent_that_is_down_gets_an_error_in_time(fleet: Fleet) -> None:
    await fleet.up()
    fleet.agent.kill()
    with pytest.raises(LarsError, match="agent"):
        fleet.client.get_host(1, 1)
    assert fleet.commands.run("get-host", "1", "1").returncode == 1
