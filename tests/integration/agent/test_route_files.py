"""Agents with one state_dir: one of them saves, the other says so and goes on."""

from pathlib import Path
from typing import Any

from lars.agent.directory import Directory
from lars.agent.route_files import RouteFiles
from lars.client import LarsClient
from lars.route import HostAddress, ModuleId, parse_host
from lars.saved_routes import SavedRoutes, load_routes, routes_path
from tests.integration.client.lone_agent import LoneAgent
from tests.integration.fleet import StartService
from tests.integration.processes import free_udp_base
from tests.integration.waiting import until
from tests.unit.agent.shard import Shard

M = ModuleId(1, 2)
A, B = parse_host("10.0.0.1:80"), parse_host("10.0.0.2:80")


def directory_of(host: HostAddress) -> Directory:
    directory = Shard().directory
    directory.restore(M, [host], 0.0)
    return directory


async def test_one_agent_saves_and_the_other_when_that_has_ended(reactor: Any, tmp_path: Path) -> None:
    state_dir = str(tmp_path / "state")
    files = [RouteFiles(state_dir, {0: directory_of(host)}, reactor) for host in (A, B)]
    first, second = files
    first.load(0.0)
    second.load(0.0)
    for one in (first, second):
        one.changed(0)
        await one.save_changed()
    assert load_routes(routes_path(state_dir, 0)) == SavedRoutes({M: [A]})
    first.close()
    await second.save_changed()
    assert load_routes(routes_path(state_dir, 0)) == SavedRoutes({M: [B]})
    second.close()


async def test_client_finds_the_folder_of_the_agent_that_it_has_talked_to(
    reactor: Any, start_service: StartService, tmp_path: Path
) -> None:
    agent = LoneAgent(start_service, tmp_path, {M: [A]})
    process = await agent.up()
    with LarsClient(agent.address, timeout=0.2) as client:
        await until(reactor, lambda: client.get_host(*M).address == A, "a host and the folder")
        await process.stopped()
        await until(reactor, lambda: client.get_host(*M).address == A and not client.agent_alive, "the saved route")
    agent.close()


async def test_second_agent_says_that_it_saves_no_routes(
    reactor: Any, start_service: StartService, tmp_path: Path
) -> None:
    agent = LoneAgent(start_service, tmp_path, {M: [A]})
    await agent.up()
    options = [f"--listen=127.0.0.1:{free_udp_base(3)}", "--dns=127.0.0.1:1", "--reporter=127.0.0.1:1"]
    second = start_service("lars-agent", *options, f"--state-dir={agent.state_dir}", name="second")
    await second.says("lars-agent answers on")
    assert second.log().count(f"another lars-agent saves its routes in {agent.state_dir}, so this one saves none") == 1
    await second.stopped()
    agent.close()
