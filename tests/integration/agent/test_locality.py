"""An agent with a zone: its calls stay there while the zone's hosts work, leave with the last, and come back."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest_twisted

from lars.db.database import Database
from lars.db.routes import RouteEdit, RouteStore
from lars.host_record import HostChange
from lars.route import ModuleId, parse_host
from tests.integration.agent.checked_hosts import Calls, CheckedHost, names
from tests.integration.fleet import Fleet, StartService


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def zones(reactor: Any) -> AsyncIterator[dict[str, list[CheckedHost]]]:
    """Two hosts in each of two zones."""
    zones = {zone: [CheckedHost(reactor) for _ in range(2)] for zone in ("a", "b")}
    yield zones
    for hosts in zones.values():
        for host in hosts:
            await host.close()


async def test_calls_leave_the_zone_when_its_hosts_die_and_return_with_them(
    reactor: Any,
    start_service: StartService,
    sqlite_url: str,
    tmp_path: Path,
    open_database: Callable[[str], Database],
    zones: dict[str, list[CheckedHost]],
) -> None:
    checks = "--module-settings=1.1 health_check.interval=0.2 health_check.timeout=0.2"
    fleet = Fleet(reactor, start_service, sqlite_url, tmp_path, "--zone=a", checks)
    calls = Calls(reactor, f"127.0.0.1:{fleet.agent_port}")
    try:
        await fleet.up()
        records = {parse_host(name): HostChange(zone=zone) for zone, hosts in zones.items() for name in names(hosts)}
        edit = RouteEdit(ModuleId(1, 1), frozenset(records), change=records)
        await RouteStore(open_database(sqlite_url)).edit("test", 1, [edit])
        await fleet.serves(*map(str, records))

        await calls.make(60)
        assert set(calls.sent) == set(names(zones["a"])), "a zone that works keeps its calls"

        for host in zones["a"]:
            await host.die()
            await calls.report_failures(host.name)
        await calls.until(lambda: fleet.agent.log().count(" ejected (") == 2, "both hosts of the zone to be ejected")
        calls.sent.clear()
        calls.failed.clear()
        await calls.make(60)
        assert set(calls.sent) == set(names(zones["b"])), "a zone that is dead gets no call"

        for host in zones["a"]:
            host.listen()
        await calls.until(lambda: fleet.agent.log().count(" restored (check)") == 2, "both to be restored", 30)
        await calls.until(lambda: not _sent_to(calls, zones["b"]), "all calls to return", 30)
        assert not calls.failed
    finally:
        calls.close()
        fleet.close()


def _sent_to(calls: Calls, hosts: list[CheckedHost]) -> int:
    """The calls to some hosts in each last thirty; 1 before there are so many."""
    if calls.sent.total() < 30:
        return 1
    count = sum(calls.sent[name] for name in names(hosts))
    calls.sent.clear()
    return count
