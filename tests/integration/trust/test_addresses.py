"""Who may use a service, by address."""

import socket
from pathlib import Path
from typing import Any

import pytest

from lars.client import LarsClient
from lars.errors import LarsError
from tests.integration.conftest import StartService
from tests.integration.fleet import Commands
from tests.integration.processes import free_udp_base
from tests.integration.running_service import RunningService
from tests.integration.waiting import until


@pytest.mark.parametrize("plugin", ["lars-dns", "lars-reporter"])
async def test_server_closes_and_counts_connections_from_elsewhere_and_says_so_once(
    reactor: Any, start_service: StartService, sqlite_url: str, plugin: str
) -> None:
    service = RunningService(start_service, plugin, sqlite_url, "--allow=10.0.0.0/8")
    try:
        if plugin == "lars-dns":  # it listens once it has read the routes
            Commands(sqlite_url, "127.0.0.1:1", Path(sqlite_url.removeprefix("sqlite:///")).parent).ok("db", "init")
        await service.up()
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", service.port), 5) as peer:
                peer.settimeout(5)
                assert peer.recv(10) == b""
        name = f"{plugin.replace('-', '_')}_dropped_connections_total"
        assert service.number(name, reason="not_allowed") == 3
        assert service.service.log().count(f"{plugin}: 127.0.0.1 refused: it is not in allow") == 1
    finally:
        service.close()


@pytest.mark.parametrize(
    ("allow", "said"),
    [
        ("any", "lars-agent: every machine that reaches 0.0.0.0 may use it; allow names the networks that may"),
        ("10.77.0.0/16", "lars-agent: on 0.0.0.0 for 10.77.0.0/16"),
    ],
)
async def test_agent_beyond_loopback_says_who_may_ask_and_answers_this_machine(
    reactor: Any, start_service: StartService, tmp_path: Path, allow: str, said: str
) -> None:
    port = free_udp_base(3)
    agent = start_service(
        "lars-agent", f"--listen=0.0.0.0:{port}", "--dns=127.0.0.1:1", f"--state-dir={tmp_path}", f"--allow={allow}"
    )
    await agent.says(said)
    with LarsClient(f"127.0.0.1:{port}", timeout=1.0, cache=False, state_dir="") as client:

        def answers() -> bool:
            try:
                return client.get_route(1, 1) == []
            except LarsError:
                return False

        await until(reactor, answers, "an answer")
