"""A fleet that proves by tokens that it belongs together."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lars.wire.frames import FrameDecoder
from lars.wire.lars_pb2 import GetRouteRequest, Hello
from lars.wire.messages import MessageId, decode_message, encode_message
from tests.integration.conftest import StartService
from tests.integration.fleet import Fleet
from tests.integration.processes import ReservedPort, free_udp_base

OLD, NEW = "o" * 32, "n" * 32
A = "127.0.0.1:9001"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The token file of the servers, and that of the agent."""
    return tmp_path / "servers", tmp_path / "agent"


@pytest.fixture
def fleet(
    reactor: Any, start_service: StartService, sqlite_url: str, tmp_path: Path, files: tuple[Path, Path]
) -> Iterator[Fleet]:
    for file in files:
        file.write_text(OLD, encoding="ascii")
    servers, agent = files
    options = [f"--token-file={servers}"]
    fleet = Fleet(reactor, start_service, sqlite_url, tmp_path, f"--token-file={agent}", server_options=options)
    yield fleet
    fleet.close()


def answer(port: int, *messages: bytes) -> list[object]:
    """What a server says to a connection before it closes it."""
    with socket.create_connection(("127.0.0.1", port), 5) as peer:
        peer.settimeout(5)
        peer.sendall(b"".join(messages))
        data = b""
        while received := peer.recv(65536):
            data += received
    return [decode_message(*frame) for frame in FrameDecoder().feed(data)]


async def test_fleet_with_a_token_works_and_strangers_are_refused_with_one_line(fleet: Fleet) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A)
    await fleet.serves(A)
    fleet.client.report(fleet.client.get_host(1, 1), 0)
    await fleet.counts(1, 0)
    ask = encode_message(MessageId.GET_ROUTE_REQUEST, GetRouteRequest(modid=1, cmdid=1, peer=2))
    for port in fleet.ports:
        for beginning in (b"", encode_message(MessageId.HELLO, Hello(token="x" * 32))):
            [hello] = answer(port.number, beginning, ask)
            assert isinstance(hello, Hello)
            assert "token" in hello.refused
    for service, name in ((fleet.dns, "lars-dns"), (fleet.reporter, "lars-reporter")):
        assert service.log().count(f"{name}: 127.0.0.1") == 1
        assert "presents no token" in service.log()
        assert OLD not in service.log()


async def test_tokens_are_rotated_without_a_restart(fleet: Fleet, files: tuple[Path, Path]) -> None:
    await fleet.up()
    servers, agent = files
    servers.write_text(f"{OLD}\n{NEW}\n", encoding="ascii")
    for service in (fleet.dns, fleet.reporter):
        os.kill(service.pid, signal.SIGHUP)
        await service.says("2 tokens read")
    agent.write_text(NEW, encoding="ascii")
    os.kill(fleet.agent.pid, signal.SIGHUP)
    await fleet.agent.says("1 token read")
    servers.write_text(NEW, encoding="ascii")
    os.kill(fleet.dns.pid, signal.SIGHUP)
    await fleet.dns.says("1 token read")
    fleet.dns.kill()
    await fleet.dns.ended()
    fleet.dns.start()
    await fleet.agent.says("linked to lars-dns", times=2)
    fleet.commands.ok("route", "add", "1", "1", A)
    await fleet.serves(A)


async def test_agent_with_a_wrong_token_says_why_it_is_refused_and_is_linked_once_it_is_right(
    reactor: Any, start_service: StartService, sqlite_url: str, tmp_path: Path, files: tuple[Path, Path]
) -> None:
    servers, agent = files
    servers.write_text(NEW, encoding="ascii")
    agent.write_text(OLD, encoding="ascii")
    options = [f"--token-file={servers}"]
    fleet = Fleet(reactor, start_service, sqlite_url, tmp_path, f"--token-file={agent}", server_options=options)
    try:
        await fleet.dns.says("answers on")
        fleet.commands.ok("route", "add", "1", "1", A)
        await fleet.agent.says("refuses this agent: its token is not one of token_file; trying again", times=2)
        agent.write_text(NEW, encoding="ascii")
        os.kill(fleet.agent.pid, signal.SIGHUP)
        await fleet.serves(A)
        assert OLD not in fleet.agent.log()
    finally:
        fleet.close()


async def test_unusable_token_file_is_one_line_at_the_start(
    start_service: StartService, tmp_path: Path, files: tuple[Path, Path]
) -> None:
    file, _agent = files
    file.write_text("short", encoding="ascii")
    for plugin in ("lars-dns", "lars-reporter", "lars-agent"):
        listen = f"127.0.0.1:{free_udp_base(3)}" if plugin == "lars-agent" else ReservedPort().endpoint
        service = start_service(plugin, f"--token-file={file}", f"--listen={listen}")
        assert await service.ended() == 1
        [line] = service.log().splitlines()
        assert line.startswith(f"{plugin}: token file {file}: token 1 is not 16 to 256 printable characters")
