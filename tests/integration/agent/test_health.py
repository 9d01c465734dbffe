"""Health checks of a real agent: hosts that die, hang or say 503, seen by calls, log, metrics and explain."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from lars.route import ModuleId, parse_host
from tests.integration.agent.checked_hosts import Calls, CheckedHost, Mode, names
from tests.integration.client.lone_agent import LoneAgent
from tests.integration.fleet import Commands, StartService
from tests.integration.waiting import until

HTTP = "health_check.type=http health_check.path=/healthz?from=lars"


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def hosts(reactor: Any) -> AsyncIterator[list[CheckedHost]]:
    hosts = [CheckedHost(reactor) for _ in range(3)]
    yield hosts
    for host in hosts:
        await host.close()


class Checked:
    """A real agent with checks of module (1, 1), and a business process that calls its hosts."""

    def __init__(
        self, reactor: Any, start_service: StartService, folder: Path, hosts: list[CheckedHost], settings: str
    ) -> None:
        self.reactor = reactor
        self.folder = folder
        self.route = [parse_host(name) for name in names(hosts)]
        self.agent = LoneAgent(start_service, folder, {ModuleId(1, 1): self.route}, f"--module-settings=1.1 {settings}")
        self.calls = Calls(reactor, self.agent.address)

    async def up(self) -> None:
        await self.agent.up()

    def log(self) -> str:
        assert self.agent.process is not None
        return self.agent.process.log()

    async def says(self, text: str, deadline: float = 15.0) -> None:
        await until(self.reactor, lambda: text in self.log(), lambda: f"{text!r} in\n{self.log()}", deadline)

    async def explained(self) -> dict[str, dict[str, Any]]:
        rows = await deferToThread(Commands("", self.agent.address, self.folder).json, "explain", "1", "1")
        return {row["host"]: row for row in rows}

    async def checks(self, result: str) -> int:
        return await self.agent.counted(f'lars_agent_health_checks_total{{result="{result}"}}')

    def close(self) -> None:
        self.calls.close()
        self.agent.close()


Start = Callable[..., Checked]


@pytest.fixture
def start(reactor: Any, start_service: StartService, tmp_path: Path) -> Any:
    started: list[Checked] = []

    def start(hosts: list[CheckedHost], settings: str) -> Checked:
        started.append(Checked(reactor, start_service, tmp_path, hosts, settings))
        return started[-1]

    yield start
    for checked in started:
        checked.close()


async def test_host_that_hangs_gets_no_call_once_it_is_ejected_until_its_checks_pass(
    start: Start, hosts: list[CheckedHost]
) -> None:
    checked = start(hosts, f"{HTTP} health_check.interval=0.3 health_check.timeout=0.2")
    await checked.up()
    calls, bad = checked.calls, hosts[1]
    await calls.make(60)
    assert not calls.failed
    assert bad.requests == [], "hosts that answer calls are not checked"
    bad.mode = Mode.HANGS
    await calls.report_failures(bad.name)
    await calls.until(lambda: f"{bad.name} ejected" in checked.log(), "the host to be ejected")
    lost = bad.calls
    await calls.until(lambda: len(bad.requests) >= 30, "thirty checks: nine seconds", 30)
    assert bad.calls == lost, "its probe would have been due after six seconds"
    assert bad.requests[0].startswith(b"GET /healthz?from=lars HTTP/1.1\r\nHost: " + bad.name.encode() + b"\r\n")
    row = (await checked.explained())[bad.name]
    assert (row["state"], row["share"], row["why"]) == ("ejected", 0, "unhealthy: no answer in 0.2 s")
    assert await checked.checks("timeout") >= 29
    bad.mode = Mode.SERVES
    await calls.until(lambda: bad.calls > lost + 20, "the host to get calls again")
    assert f"{bad.name} restored (check): full share in" in checked.log()
    assert calls.sent.total() == sum(host.calls for host in hosts)


async def test_dead_host_gets_no_call_once_it_is_ejected_by_default(start: Start, hosts: list[CheckedHost]) -> None:
    checked = start(hosts, "health_check.interval=0.5 health_check.timeout=0.2")
    await checked.up()
    calls, bad = checked.calls, hosts[2]
    await calls.make(60)
    await bad.die()
    await calls.report_failures(bad.name)
    await calls.until(lambda: f"{bad.name} ejected" in checked.log(), "the host to be ejected")
    lost = calls.failed[bad.name]
    before = await checked.checks("refused")
    while await checked.checks("refused") < before + 3:
        await calls.make(20)
    assert calls.failed[bad.name] == lost
    assert (await checked.explained())[bad.name]["next_probe"] is None
    bad.listen()
    await calls.until(lambda: f"{bad.name} restored (check)" in checked.log(), "the host to be restored")
    assert calls.failed.total() == lost
    assert await checked.agent.counted('lars_agent_restorations_total{reason="check"}') == 1


async def test_dead_host_leaves_before_any_call_where_all_are_always_checked(
    start: Start, hosts: list[CheckedHost]
) -> None:
    checked = start(hosts, "health_check.when=always health_check.interval=0.3 health_check.timeout=0.2")
    await checked.up()
    await until(checked.reactor, lambda: all(host.connections for host in hosts), "each host to be checked")
    bad = hosts[0]
    await bad.die()
    await checked.says(f"{bad.name} unhealthy (check): connection refused; 3 checks in a row failed")
    await checked.calls.make(60)
    assert checked.calls.sent[bad.name] == 0
    assert not checked.calls.failed
    row = (await checked.explained())[bad.name]
    assert (row["state"], row["why"]) == ("unhealthy", "unhealthy: connection refused")
    assert await checked.agent.counted('lars_agent_ejections_total{reason="check"}') == 1
    bad.listen()
    await checked.says(f"{bad.name} restored (check): full share in 2 s")
    await checked.calls.until(lambda: bad.calls > 20, "the host to get calls again")
    assert not checked.calls.failed


async def test_host_that_answers_503_to_its_check_leaves_though_it_serves_calls(
    start: Start, hosts: list[CheckedHost]
) -> None:
    checked = start(hosts, f"{HTTP} health_check.when=always health_check.interval=0.3 health_check.timeout=0.2")
    await checked.up()
    hosts[1].mode = Mode.BUSY
    await checked.calls.until(
        lambda: f"{hosts[1].name} unhealthy (check): http 503; 3 checks in a row" in checked.log(), "503 to be seen"
    )
    before = hosts[1].calls
    await checked.calls.make(60)
    assert hosts[1].calls == before
    assert not checked.calls.failed
    assert (await checked.explained())[hosts[1].name]["why"] == "unhealthy: http 503"
    for host in hosts:
        host.mode = Mode.BUSY
    await checked.says("restored (panic): no host is healthy: all take calls")
    before = hosts[1].calls
    await checked.calls.make(60)
    assert hosts[1].calls > before + 10
    assert not checked.calls.failed


async def test_agent_whose_checks_all_fail_keeps_its_hosts_and_says_so_once(
    start: Start, hosts: list[CheckedHost]
) -> None:
    checked = start(hosts, "health_check.when=always health_check.interval=0.3 health_check.timeout=0.2 panic=false")
    await checked.up()
    await until(checked.reactor, lambda: all(host.connections for host in hosts), "each host to be checked")
    for host in hosts:
        await host.die()
    await checked.says("all health checks fail, at 3 hosts: taken for a fault of this machine's network")
    refused = await checked.checks("refused")
    while await checked.checks("refused") < refused + 15:
        assert {row["state"] for row in (await checked.explained()).values()} == {"healthy"}
    assert checked.log().count("all health checks fail") == 1
    for host in hosts:
        host.listen()
    await checked.says("hosts answer health checks again")
    assert "(check)" not in checked.log()


async def test_check_that_fails_at_hosts_that_answer_calls_is_not_used(start: Start, hosts: list[CheckedHost]) -> None:
    checked = start(hosts, "health_check.port=1 health_check.interval=0.5 health_check.timeout=0.2")
    await checked.up()
    calls, bad = checked.calls, hosts[0]
    await calls.make(60)
    await bad.die()
    await calls.report_failures(bad.name)
    await calls.until(lambda: "its health check fails also at" in checked.log(), "the check to be found unusable")
    assert (await checked.explained())[bad.name]["next_probe"] is not None, "a call probes it"


async def test_checks_do_not_apply_to_classic_and_one_line_says_so(start: Start, hosts: list[CheckedHost]) -> None:
    checked = start(hosts, "health_check.when=always health_check.interval=0.3 health_check.timeout=0.2")
    checked.agent._options = (*checked.agent._options, "--policy=classic")
    await checked.up()
    await checked.says("(1, 1): health_check has no effect on the policy classic")
    await hosts[0].die()
    await checked.calls.until(lambda: checked.calls.failed[hosts[0].name], "a call to the dead host")
    assert sum(host.connections for host in hosts[1:]) == checked.calls.sent.total() - checked.calls.sent[hosts[0].name]
    assert checked.log().count("health_check has no effect") == 1
