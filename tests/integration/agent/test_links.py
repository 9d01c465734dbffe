"""An agent whose servers go, hang and come back: it answers throughout, and no call is lost or counted twice."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.threads import deferToThread

from bench.processes.http import get
from lars.client import LarsClient
from lars.errors import LarsError
from lars.route import ModuleId, parse_host, parse_ip
from lars.saved_routes import encode_routes, routes_path, save_routes
from tests.integration.fleet import Commands, Fleet, StartService
from tests.integration.processes import ReservedPort, free_udp_base
from tests.integration.waiting import until

A, B = "127.0.0.1:9001", "127.0.0.1:9002"


@pytest.fixture
def fleet(reactor: Any, start_service: StartService, database_url: str, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(reactor, start_service, database_url, tmp_path)
    yield fleet
    fleet.close()


async def test_agent_answers_within_a_second_of_starting_with_all_else_down(
    reactor: Any, start_service: StartService, tmp_path: Path
) -> None:
    save_routes(routes_path(str(tmp_path), 2), encode_routes({ModuleId(1, 1): [parse_host(A)]}))
    port = free_udp_base(3)
    agent = start_service(
        "lars-agent",
        f"--listen=127.0.0.1:{port}",
        "--dns=127.0.0.1:1",
        "--reporter=127.0.0.1:1",
        f"--state-dir={tmp_path}",
    )
    await agent.says("starting up", deadline=20)  # what comes before is the interpreter's own start
    with LarsClient(f"127.0.0.1:{port}", timeout=0.05, cache=False, state_dir="") as client:
        await until(reactor, lambda: _answers(client), "the first answer", 1.0)


async def test_agent_without_dns_and_routes_is_not_ready_however_often_it_is_asked(
    start_service: StartService, tmp_path: Path
) -> None:
    port = free_udp_base(3)
    with ReservedPort() as metrics:
        agent = start_service(
            "lars-agent",
            f"--listen=127.0.0.1:{port}",
            "--dns=127.0.0.1:1",
            "--reporter=127.0.0.1:1",
            "--state-dir=",
            f"--metrics={metrics.endpoint}",
        )
        await agent.says("lars-agent answers on")
        with LarsClient(f"127.0.0.1:{port}", timeout=1.0, cache=False, state_dir="", first_wait=0) as client:
            assert not _answers(client)
        refusal = "there is no link to lars-dns, and no route is known\n"
        assert await deferToThread(get, metrics.number, "/readyz") == (503, refusal)


async def test_each_server_that_cannot_be_used_is_named_with_its_fault(
    fleet: Fleet, start_service: StartService
) -> None:
    dns, reporter = fleet.ports
    await fleet.reporter.says("answers on")
    await fleet.dns.says("answers on")
    with ReservedPort() as refused:
        agent = start_service(
            "lars-agent",
            f"--listen=127.0.0.1:{free_udp_base(3)}",
            f"--dns=nowhere.invalid:7778,127.0.0.1:{refused.number},127.0.0.1:{reporter.number}",
            f"--reporter=127.0.0.1:{dns.number}",
            "--state-dir=",
            name="lost-agent",
        )
        await agent.says(f"127.0.0.1:{reporter.number} is lars-reporter, not lars-dns: correct the agent's settings")
        await agent.says(f"127.0.0.1:{dns.number} is lars-dns, not lars-reporter: correct the agent's settings")
        faults = (
            f"nowhere.invalid:7778 does not resolve, 127.0.0.1:{refused.number} refuses connections, "
            f"127.0.0.1:{reporter.number} is lars-reporter"
        )
        await agent.says(f"no lars-dns answers: {faults}; trying again")
        await agent.says(f"no lars-reporter answers: 127.0.0.1:{dns.number} is lars-dns; trying again")


def _answers(client: LarsClient) -> bool:
    try:
        return str(client.get_host(1, 1)) == A
    except LarsError:
        return False


async def test_damaged_saved_routes_are_set_aside_with_one_line(
    reactor: Any, start_service: StartService, tmp_path: Path
) -> None:
    routes_path(str(tmp_path), 2).write_bytes(b'{"format": 1, "routes": [{')
    agent = start_service(
        "lars-agent",
        f"--listen=127.0.0.1:{free_udp_base(3)}",
        "--dns=127.0.0.1:1",
        "--reporter=127.0.0.1:1",
        f"--state-dir={tmp_path}",
    )
    await agent.says("lars-agent answers on")
    assert agent.log().count("is damaged") == 1
    assert (tmp_path / "routes.2.damaged").exists()


async def test_dns_that_hangs_is_left_for_the_next_of_the_list(
    reactor: Any, start_service: StartService, sqlite_url: str, tmp_path: Path
) -> None:
    commands = Commands(sqlite_url, "", tmp_path)
    commands.ok("db", "init")
    commands.ok("route", "add", "1", "1", A)
    commands.ok("route", "add", "2", "2", B)
    with ReservedPort() as first, ReservedPort() as second:
        hung, other = (
            start_service("lars-dns", "--db", sqlite_url, f"--listen=tcp:{p.number}:interface=127.0.0.1", name=name)
            for p, name in ((first, "hung"), (second, "other"))
        )
        await hung.says("answers on")
        await other.says("answers on")
        port = free_udp_base(3)
        agent = start_service(
            "lars-agent",
            f"--listen=127.0.0.1:{port}",
            f"--dns=127.0.0.1:{first.number},127.0.0.1:{second.number}",
            "--reporter=127.0.0.1:1",
            f"--state-dir={tmp_path / 'state'}",
        )
        with LarsClient(f"127.0.0.1:{port}", timeout=0.3, cache=False, state_dir="") as client:
            await until(reactor, lambda: _hosts(client, 1) == [A], "the first route")
            hung.pause()
            assert _hosts(client, 2) == []
            await agent.says("has not answered for 10 s; trying the next server", deadline=15)
            await until(reactor, lambda: _hosts(client, 2) == [B], "the route from the other dns", 10)
            assert _hosts(client, 1) == [A]
        hung.resume()


def _hosts(client: LarsClient, number: int) -> list[str]:
    try:
        return sorted(map(str, client.get_route(number, number)))
    except LarsError:
        return []


async def test_emptied_route_empties_and_an_absent_answer_never_does(fleet: Fleet) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A)
    await fleet.serves(A)
    fleet.dns.pause()
    for _ in range(20):
        assert fleet.hosts() == [A]
    fleet.dns.resume()
    fleet.commands.ok("route", "rm", "1", "1", A)
    await fleet.serves()


async def test_sum_in_the_database_is_what_was_reported_though_the_reporter_is_killed_again_and_again(
    reactor: Any, fleet: Fleet
) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A, B)
    await fleet.serves(A, B)
    random.seed(1)
    succ = err = 0
    for round_ in range(4):
        for _ in range(300):
            failed = random.random() < 0.3
            fleet.client.report(random.choice(fleet.client.get_route(1, 1)), int(failed))
            succ, err = succ + (not failed), err + failed
        if round_ == 2:  # counts of a host that leaves are told too
            fleet.commands.ok("route", "rm", "1", "1", B)
            await fleet.serves(A)
        await until(reactor, lambda: random.random() < 0.02, "a random moment")
        fleet.reporter.kill()
        fleet.reporter.start()
    await fleet.counts(succ, err, deadline=30)


async def test_killed_agent_is_back_within_two_seconds_of_its_start(reactor: Any, fleet: Fleet) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A)
    await fleet.serves(A)
    routes = fleet.agent.folder / "state" / "routes.2.json"
    await until(reactor, lambda: routes.exists() and A in routes.read_text(), "the routes to be saved")
    for _ in range(200):
        fleet.client.report(fleet.client.get_host(1, 1))
    fleet.agent.kill()
    fleet.agent.start()
    await fleet.agent.says("starting up", times=2, deadline=20)
    await fleet.serves(A, deadline=2)


async def test_links_over_ipv6_carry_routes_and_reports_that_name_the_machine(
    reactor: Any, start_service: StartService, sqlite_url: str, tmp_path: Path
) -> None:
    port = free_udp_base(3)
    commands = Commands(sqlite_url, f"127.0.0.1:{port}", tmp_path)
    commands.ok("db", "init")
    commands.ok("route", "add", "1", "1", A)
    with ReservedPort() as dns, ReservedPort() as reporter:
        for plugin, reserved in (("lars-dns", dns), ("lars-reporter", reporter)):
            listen = f"--listen=tcp:{reserved.number}:interface=[::1]"
            await start_service(plugin, "--db", sqlite_url, listen).says("answers on")
        agent = start_service(
            "lars-agent",
            f"--listen=127.0.0.1:{port}",
            f"--dns=[::1]:{dns.number}",
            f"--reporter=[::1]:{reporter.number}",
            f"--state-dir={tmp_path / 'state'}",
            "--report-interval=0.3",
        )
        await agent.says(f"linked to lars-dns [::1]:{dns.number}")
        await agent.says(f"linked to lars-reporter [::1]:{reporter.number}")
        with LarsClient(f"127.0.0.1:{port}", timeout=0.3, cache=False, state_dir="") as client:
            await until(reactor, lambda: _hosts(client, 1) == [A], "the route")
            client.report(client.get_host(1, 1))
        await until(reactor, lambda: [row["succ"] for row in commands.json("status")] == [1], "the call to be counted")
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as database:
        assert database.execute("SELECT caller FROM ServerCallStatus").fetchall() == [(parse_ip("127.0.0.1"),)]
