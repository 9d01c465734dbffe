"""A fleet over TLS: it works, renews its certificates in place, and says on both sides what is wrong."""

import os
import signal
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.processes.ports import ReservedPort
from lars.cli.certificates import KeyPair, new_ca, new_certificate
from tests.integration.conftest import StartService
from tests.integration.fleet import Commands, Fleet
from tests.integration.processes import free_udp_base
from tests.integration.running_service import RunningService
from tests.integration.waiting import until

A, B = "127.0.0.1:9001", "127.0.0.1:9002"
NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=1000)


def options(folder: Path, name: str, pair: KeyPair, ca: KeyPair) -> list[str]:
    """The options of a service with a certificate, and the CA that it trusts; their files are written."""
    files = {"cert": pair.certificate_pem, "key": pair.key_pem, "ca": ca.certificate_pem}
    for what, data in files.items():
        (folder / f"{name}-{what}.pem").write_bytes(data)
    return [f"--tls-{what}={folder / f'{name}-{what}.pem'}" for what in files]


def serial(port: int, folder: Path) -> int:
    """The number of the certificate that a server shows, to a client with the agent's."""
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.load_cert_chain(folder / "agent.pem", folder / "agent-key.pem")
    with (
        socket.create_connection(("127.0.0.1", port), 5) as sock,
        context.wrap_socket(sock, server_hostname="127.0.0.1") as wrapped,
    ):
        certificate: Any = wrapped.getpeercert()
        return int(certificate["serialNumber"], 16)


async def test_fleet_over_tls_works_and_renewed_certificates_drop_no_connection(
    reactor: Any, start_service: StartService, sqlite_url: str, tmp_path: Path
) -> None:
    tls = tmp_path / "tls"
    made = Commands(sqlite_url, "127.0.0.1:1", tmp_path).ok("tls", "init", f"--dir={tls}")
    assert f"--tls-cert {tls}/server.pem" in made
    assert (tls / "server-key.pem").stat().st_mode & 0o077 == 0
    server, agent = (
        [f"--tls-cert={tls / f'{who}.pem'}", f"--tls-key={tls / f'{who}-key.pem'}", f"--tls-ca={tls / 'ca.pem'}"]
        for who in ("server", "agent")
    )
    fleet = Fleet(reactor, start_service, sqlite_url, tmp_path, *agent, server_options=server)
    try:
        await fleet.up()
        fleet.commands.ok("route", "add", "1", "1", A)
        await fleet.serves(A)
        fleet.client.report(fleet.client.get_host(1, 1), 0)
        await fleet.counts(1, 0)
        before = serial(fleet.ports[0].number, tls)
        fleet.commands.ok("tls", "init", f"--dir={tls}")
        for service in (fleet.dns, fleet.reporter, fleet.agent):
            os.kill(service.pid, signal.SIGHUP)
            await service.says("read: new connections use it")
        assert serial(fleet.ports[0].number, tls) != before
        fleet.commands.ok("route", "add", "1", "1", B)
        await fleet.serves(A, B)
        fleet.client.report(fleet.client.get_host(1, 1), 0)
        await fleet.counts(2, 0)
        assert fleet.agent.log().count("linked to") == 2, "no connection was dropped"
    finally:
        fleet.close()


CASES = {
    "agent of another CA": ("its certificate is not signed by tls_ca", "does not trust this side's certificate"),
    "server of another CA": ("does not trust this side's certificate", "its certificate is not signed by tls_ca"),
    "expired server": ("this side's certificate has expired", "its certificate has expired"),
    "expired agent": ("its certificate has expired", "this side's certificate has expired"),
    "another name": ("it does not accept this side's certificate", "its certificate is for another name"),
    "agent's certificate as a server's": ("this side's certificate for this purpose", "is for another purpose"),
    "plain agent": (
        "it does not speak TLS",
        "closes the connection without a word: is it at its limit, does it demand TLS",
    ),
    "plain server": ("it begins a TLS handshake, and this port has no TLS", "in the TLS handshake: has it TLS?"),
}
"""What is wrong: what the server says of it, and what the agent says."""


@pytest.mark.parametrize("wrong", CASES)
async def test_what_is_wrong_is_one_line_on_each_side_and_tried_again(
    reactor: Any, start_service: StartService, sqlite_url: str, tmp_path: Path, wrong: str
) -> None:
    ca, other = new_ca(NOW), new_ca(NOW)
    since = {who: LONG_AGO if wrong == f"expired {who}" else NOW for who in ("agent", "server")}
    names = {"another name": ["dns1.example"], "agent's certificate as a server's": []}.get(wrong, ["127.0.0.1"])
    server = new_certificate(other if wrong == "server of another CA" else ca, "s", names, since["server"])
    agent = new_certificate(other if wrong == "agent of another CA" else ca, "a", (), since["agent"])
    of_server = [] if wrong == "plain server" else options(tmp_path, "server", server, ca)
    of_agent = [] if wrong == "plain agent" else options(tmp_path, "agent", agent, ca)
    Commands(sqlite_url, "127.0.0.1:1", tmp_path).ok("db", "init")
    dns = RunningService(start_service, "lars-dns", sqlite_url, *of_server)
    agent_process = start_service(
        "lars-agent",
        f"--listen=127.0.0.1:{free_udp_base(3)}",
        f"--dns=127.0.0.1:{dns.port}",
        "--reporter=127.0.0.1:1",
        "--state-dir=",
        *of_agent,
    )
    try:
        await dns.up()
        said_by_server, said_by_agent = CASES[wrong]
        await dns.service.says(said_by_server)
        await agent_process.says(said_by_agent)
        reason = "bad_streams" if wrong == "plain server" else "tls"
        name = "lars_dns_dropped_connections_total"
        await until(reactor, lambda: dns.number(name, reason=reason) >= 3, "further tries")
        assert dns.service.log().count(said_by_server) == 1
        assert agent_process.log().count(said_by_agent) <= 2, "once for the server, once for the list"
        assert dns.number("lars_dns_requests_total") == 0
        if wrong == "expired server":
            assert dns.number("lars_certificate_expiry_seconds", setting="tls_cert") < 0
            status, text = dns.page("/readyz")
            assert (status, text.startswith("the certificate of tls_cert expired at")) == (503, True)
        elif of_server:
            assert dns.number("lars_certificate_expiry_seconds", setting="tls_cert") > 300 * 86400
    finally:
        dns.close()


async def test_peers_that_never_end_the_handshake_keep_nobody_out(
    reactor: Any, start_service: StartService, sqlite_url: str, tmp_path: Path
) -> None:
    ca = new_ca(NOW)
    server = options(tmp_path, "server", new_certificate(ca, "s", ["127.0.0.1"], NOW), ca)
    agent = options(tmp_path, "agent", new_certificate(ca, "a", (), NOW), ca)
    Commands(sqlite_url, "127.0.0.1:1", tmp_path).ok("db", "init")
    dns = RunningService(start_service, "lars-dns", sqlite_url, "--idle-timeout=1", "--max-connections=3", *server)
    half_open = []
    try:
        await dns.up()
        for beginning in (b"", b"\x16\x03\x01\x02\x00", b""):
            half_open.append(socket.create_connection(("127.0.0.1", dns.port), 5))
            half_open[-1].sendall(beginning)
        linked = start_service(
            "lars-agent",
            f"--listen=127.0.0.1:{free_udp_base(3)}",
            f"--dns=127.0.0.1:{dns.port}",
            "--reporter=127.0.0.1:1",
            "--state-dir=",
            *agent,
        )
        await linked.says("linked to lars-dns")
        await until(reactor, lambda: dns.number("lars_dns_connections") == 1, "the agent alone")
    finally:
        for sock in half_open:
            sock.close()
        dns.close()


async def test_files_that_cannot_be_used_are_one_line_at_the_start(start_service: StartService, tmp_path: Path) -> None:
    ca = new_ca(NOW)
    right = options(tmp_path, "right", new_certificate(ca, "s", ["127.0.0.1"], NOW), ca)
    other = options(tmp_path, "other", new_certificate(ca, "s", ["127.0.0.1"], NOW), ca)
    with ReservedPort() as port:
        for number, (given, said) in enumerate(
            (
                (right[:2], "tls_cert, tls_key and tls_ca belong together: set all of them, or none"),
                ([right[0], other[1], right[2]], "other-key.pem: is the key of another certificate than tls_cert"),
                ([right[1].replace("key", "cert", 1), *right[1:]], "right-key.pem: is no certificate in PEM"),
                ([*right[:2], "--tls-ca=/nowhere"], "/nowhere: cannot be read: No such file or directory"),
            )
        ):
            service = start_service(
                "lars-dns", f"--listen={port.endpoint}", "--db=sqlite:///x.db", *given, name=f"lars-dns-{number}"
            )
            assert await service.ended() == 1
            [line] = service.log().splitlines()
            assert line.startswith("lars-dns: ")
            assert line.endswith(said)
