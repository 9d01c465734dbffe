"""Servers that hang, and machines that vanish behind a router: left within two and a half heartbeats, nothing lost."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bench.processes.http import get
from bench.processes.twistd import checkout_environ, twistd_command
from tests.integration.fleet import Commands, Fleet, StartService
from tests.integration.processes import Child, ReservedPort, free_udp_base
from tests.integration.waiting import until

A, B = "127.0.0.1:9001", "127.0.0.1:9002"
HEARTBEAT = 0.4
"""Seconds between heartbeats in these tests; by default 10."""


class QuickFleet(Fleet):
    """A fleet with two lars-dns, two lars-reporters, and quick heartbeats."""

    def __init__(self, reactor: Any, start_service: StartService, database_url: str, folder: Path) -> None:
        super().__init__(reactor, start_service, database_url, folder)
        self.agent.close()
        second, third, metrics = added = [ReservedPort(), ReservedPort(), ReservedPort()]
        self.ports += added
        self.metrics = metrics.number
        dns, reporter = self.ports[:2]
        self.other_dns = start_service(
            "lars-dns", "--db", database_url, f"--listen={second.endpoint}", name="other-dns"
        )
        self.other_reporter = start_service(
            "lars-reporter", "--db", database_url, f"--listen={third.endpoint}", name="other-reporter"
        )
        self._start_agent = lambda: start_service(
            "lars-agent",
            f"--listen=127.0.0.1:{self.agent_port}",
            f"--dns=127.0.0.1:{dns.number},127.0.0.1:{second.number}",
            f"--reporter=127.0.0.1:{reporter.number},127.0.0.1:{third.number}",
            f"--state-dir={folder / 'state'}",
            "--report-interval=0.3",
            f"--heartbeat-interval={HEARTBEAT}",
            f"--metrics={metrics.endpoint}",
            name="quick-agent",
        )

    async def up(self) -> None:
        """Starts the agent once the servers answer, so that it links to the first of each kind."""
        for server in (self.dns, self.other_dns, self.reporter, self.other_reporter):
            await server.says("answers on")
        self.agent = self._start_agent()
        await self.agent.says("linked to lars-dns")
        await self.agent.says("linked to lars-reporter")

    def link_is_up(self, to: str) -> bool:
        """What the agent's metrics say."""
        return f'lars_agent_link_up{{to="{to}"}} 1.0' in get(self.metrics, "/metrics")[1]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What a test has to close."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def fleet(reactor: Any, start_service: StartService, sqlite_url: str, tmp_path: Path) -> Iterator[QuickFleet]:
    fleet = QuickFleet(reactor, start_service, sqlite_url, tmp_path)
    yield fleet
    fleet.close()


async def test_dns_that_hangs_while_nobody_asks_is_left_and_the_edit_made_meanwhile_arrives(fleet: QuickFleet) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A)
    await fleet.serves(A)
    fleet.dns.pause()
    fleet.commands.ok("route", "add", "1", "1", B)
    await fleet.agent.says("has sent nothing for 1 s; trying the next server", deadline=5)
    await fleet.serves(A, B, deadline=3)
    assert fleet.link_is_up("lars-dns")
    fleet.dns.resume()


async def test_link_to_an_only_dns_that_hangs_is_not_up_until_it_answers_again(reactor: Any, fleet: QuickFleet) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A)
    await fleet.serves(A)
    fleet.other_dns.kill()
    fleet.dns.pause()
    await until(reactor, lambda: not fleet.link_is_up("lars-dns"), "the link to be down", 5)
    await fleet.agent.says("has sent nothing for 1 s; trying the next server", deadline=5)
    links = fleet.agent.log().count("linked to lars-dns")
    fleet.commands.ok("route", "add", "1", "1", B)
    fleet.dns.resume()
    await fleet.serves(A, B, deadline=10)
    await until(reactor, lambda: fleet.link_is_up("lars-dns"), "the link to be up", 5)
    assert fleet.agent.log().count("linked to lars-dns") == links + 1


async def test_reporter_that_hangs_is_left_and_every_call_is_counted_once(reactor: Any, fleet: QuickFleet) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A)
    await fleet.serves(A)
    reported = 0
    for stage in range(3):
        for _ in range(50):
            fleet.client.report(fleet.client.get_host(1, 1))
        reported += 50
        if stage == 0:
            await fleet.counts(reported, 0)
            fleet.reporter.pause()
        elif stage == 1:
            await fleet.agent.says("lars-reporter 127.0.0.1", deadline=5)
            await fleet.agent.says("trying the next server", deadline=5)
    await fleet.counts(reported, 0)
    fleet.reporter.resume()
    await until(reactor, lambda: fleet.link_is_up("lars-reporter"), "the link to be up", 5)
    await fleet.counts(reported, 0)


async def test_cpp_reporter_in_the_place_of_ours_gets_fresh_reports_and_what_it_may_not_have_is_counted_by_ours(
    reactor: Any, start_service: StartService, sqlite_url: str, tmp_path: Path, stack: ExitStack
) -> None:
    metrics = stack.enter_context(ReservedPort())
    options = (f"--heartbeat-interval={HEARTBEAT}", f"--metrics={metrics.endpoint}")
    fleet = Fleet(reactor, start_service, sqlite_url, tmp_path, *options)
    stack.callback(fleet.close)
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A)
    await fleet.serves(A)

    def call(succ: int, err: int) -> None:
        for retcode in [0] * succ + [1] * err:
            fleet.client.report(fleet.client.get_host(1, 1), retcode)

    def link_is_up() -> bool:
        return 'lars_agent_link_up{to="lars-reporter"} 1.0' in get(metrics.number, "/metrics")[1]

    call(50, 1)
    await fleet.counts(50, 1)
    fleet.reporter.kill()
    port = fleet.ports[1].number
    command = [sys.executable, "-m", "tests.integration.agent.cpp_reporter", str(port)]
    cpp = Child(reactor, "cpp-reporter", command, tmp_path, checkout_environ())
    stack.callback(cpp.close)
    cpp.start()
    await cpp.says("answers on")
    call(30, 2)
    await fleet.agent.says(f"lars-reporter 127.0.0.1:{port} acknowledges nothing any more", deadline=15)
    await until(reactor, link_is_up, "the link to the C++ reporter to be up", 5)
    left = fleet.agent.log().count("trying the next server")
    before = len(cpp.log())

    def fresh(which: str) -> int:
        return sum(map(int, re.findall(rf"report 1 .*\b{which}=(\d+)", cpp.log()[before:])))

    for n in (1, 2, 3):  # in three reports
        call(7, 1)
        await until(reactor, partial(lambda n: (fresh("succ"), fresh("err")) == (7 * n, n), n), "fresh reports", 5)
    assert fleet.agent.log().count("trying the next server") == left, "the link to the C++ reporter stays"
    cpp.kill()
    fleet.reporter.start()
    call(10, 0)
    await fleet.counts(50 + 30 + 10, 1 + 2)
    assert "s behind" not in fleet.reporter.log(), "the reports that were kept are old, and the clock is right"


async def test_agent_that_nobody_asks_notices_a_dns_that_hangs(reactor: Any, fleet: QuickFleet) -> None:
    await fleet.up()
    linked_at = reactor.seconds()
    await until(reactor, lambda: reactor.seconds() - linked_at > 2 * HEARTBEAT, "the first heartbeats to be exchanged")
    fleet.dns.pause()
    await fleet.agent.says("has sent nothing for 1 s; trying the next server", deadline=5)
    await until(reactor, lambda: fleet.link_is_up("lars-dns"), "the link to the other dns", 5)
    fleet.dns.resume()


async def test_module_that_nobody_asks_for_is_kept_while_dns_hangs_and_forgotten_when_it_answers(
    reactor: Any, start_service: StartService, sqlite_url: str, tmp_path: Path, stack: ExitStack
) -> None:
    fleet = Fleet(reactor, start_service, sqlite_url, tmp_path)
    stack.callback(fleet.close)
    fleet.agent.close()
    fleet.agent = start_service(
        "lars-agent",
        f"--listen=127.0.0.1:{fleet.agent_port}",
        f"--dns=127.0.0.1:{fleet.ports[0].number}",
        "--reporter=127.0.0.1:1",
        f"--state-dir={tmp_path / 'ttl'}",
        "--module-ttl=1",
        f"--heartbeat-interval={HEARTBEAT}",
        name="forgetful-agent",
    )
    await fleet.dns.says("answers on")
    fleet.commands.ok("route", "add", "1", "1", A)
    await fleet.serves(A)
    fleet.dns.pause()  # the module was asked for a moment ago
    saved = tmp_path / "ttl" / "routes.2.json"
    await until(reactor, lambda: saved.exists() and A in saved.read_text(), "the route to be saved", 5)
    hung_at = reactor.seconds()
    await until(reactor, lambda: reactor.seconds() - hung_at > 3, "more than the module's time to pass")
    assert A in saved.read_text()
    assert fleet.hosts() == [A]
    fleet.dns.resume()
    await until(reactor, lambda: A not in saved.read_text(), "the module to be forgotten")


class OtherMachine:
    """A network namespace, reached over a link that can be cut so that neither a packet nor a FIN passes."""

    def __init__(self) -> None:
        block = 4 * (os.getpid() % 2**14)  # other test processes have such machines too
        self.here, self.there = (f"10.213.{block >> 8}.{(block & 255) + n}" for n in (1, 2))
        self._name = f"lars{os.getpid()}"
        self._inside = f"inside{os.getpid()}"[:15]
        _ip("netns", "add", self._name)
        _ip("link", "add", self._name, "type", "veth", "peer", "name", self._inside, "netns", self._name)
        _ip("addr", "add", f"{self.here}/30", "dev", self._name)
        _ip("link", "set", self._name, "up")
        _ip("-n", self._name, "addr", "add", f"{self.there}/30", "dev", self._inside)
        _ip("-n", self._name, "link", "set", self._inside, "up")
        _ip("-n", self._name, "link", "set", "lo", "up")

    def service(self, reactor: Any, folder: Path, plugin: str, *options: str) -> Child:
        """Starts a service there."""
        command = ["ip", "netns", "exec", self._name, *twistd_command(plugin, *options)]
        child = Child(reactor, f"far-{plugin}", command, folder, checkout_environ())
        child.start()
        return child

    def cut(self) -> None:
        """Drops every packet from now on, in silence."""
        _ip("-n", self._name, "link", "set", self._inside, "down")

    def close(self) -> None:
        """Removes the link at once, and the namespace, which the kernel keeps until what ran there has ended."""
        _ip("link", "del", self._name)
        _ip("netns", "del", self._name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes network namespaces; test_heartbeats has the logic")
async def test_servers_that_vanish_behind_a_router_are_left_and_nothing_is_lost(
    reactor: Any, start_service: StartService, sqlite_url: str, tmp_path: Path, stack: ExitStack
) -> None:
    far = OtherMachine()
    stack.callback(far.close)
    fleet = Fleet(reactor, start_service, sqlite_url, tmp_path)
    stack.callback(fleet.close)
    fleet.agent.close()
    for plugin, port in (("lars-dns", 7778), ("lars-reporter", 7779)):
        listen = f"--listen=tcp:{port}:interface={far.there}"
        child = far.service(reactor, tmp_path, plugin, "--db", sqlite_url, listen)
        stack.callback(child.close)
        await child.says("answers on", deadline=20)
    dns, reporter = fleet.ports
    fleet.agent = start_service(
        "lars-agent",
        f"--listen=127.0.0.1:{fleet.agent_port}",
        f"--dns={far.there}:7778,127.0.0.1:{dns.number}",
        f"--reporter={far.there}:7779,127.0.0.1:{reporter.number}",
        f"--state-dir={tmp_path / 'state'}",
        "--report-interval=0.3",
        f"--heartbeat-interval={HEARTBEAT}",
        "--caller=10.0.0.1",
        name="quick-agent",
    )
    await fleet.agent.says(f"linked to lars-dns {far.there}")
    await fleet.agent.says(f"linked to lars-reporter {far.there}")
    fleet.commands.ok("route", "add", "1", "1", A)
    await fleet.serves(A)
    for _ in range(50):
        fleet.client.report(fleet.client.get_host(1, 1))
    await fleet.counts(50, 0)
    far.cut()
    fleet.commands.ok("route", "add", "1", "1", B)
    for _ in range(50):
        fleet.client.report(fleet.client.get_host(1, 1))
    await fleet.serves(A, B, deadline=8)
    await fleet.counts(100, 0)


async def test_agent_that_nobody_asks_stays_linked(
    reactor: Any, start_service: StartService, sqlite_url: str, tmp_path: Path, stack: ExitStack
) -> None:
    stack.enter_context(port := ReservedPort())
    commands = Commands(sqlite_url, "", tmp_path)
    commands.ok("db", "init")
    dns = start_service("lars-dns", "--db", sqlite_url, f"--listen={port.endpoint}", "--idle-timeout=1")
    await dns.says("answers on")
    agent = start_service(
        "lars-agent",
        f"--listen=127.0.0.1:{free_udp_base(3)}",
        f"--dns=127.0.0.1:{port.number}",
        "--reporter=127.0.0.1:1",
        "--state-dir=",
    )
    await agent.says("linked to lars-dns")
    stranger = stack.enter_context(socket.create_connection(("127.0.0.1", port.number)))
    await dns.says("dropped: it has sent no request", deadline=5)  # the stranger, which came later
    stranger.setblocking(False)
    await until(reactor, lambda: _is_closed(stranger), "the stranger to be cut", 5)
    assert dns.log().count("dropped") == 1
    assert agent.log().count("linked to lars-dns") == 1


def _is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
