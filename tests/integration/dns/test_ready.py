"""/readyz says whether this lars-dns should be sent agents; /healthz whether it lives."""

from typing import Any

from lars.route import ModuleId
from tests.integration.dns.agents import Agents
from tests.integration.dns.conftest import StartDns
from tests.integration.dns.running import Routes, host
from tests.integration.mariadb import MariaDb
from tests.integration.waiting import until

M = ModuleId(1, 1)


async def test_dns_is_ready_when_its_routes_are_checked_and_not_when_that_is_long_ago(
    reactor: Any, start_dns: StartDns, shaky_mariadb: MariaDb, shaky_url: str, shaky_routes: Routes, agents: Agents
) -> None:
    await shaky_routes.put({M: [host(1)]})
    shaky_mariadb.kill()
    dns = start_dns(shaky_url)
    await dns.service.says("not serving yet")
    status, reason = dns.page("/readyz")
    assert (status, reason) == (503, f"no routes are loaded yet: {dns.faults[0].partition(';')[0]}\n")
    assert reason.endswith("check all routes: Connection refused\n")
    shaky_mariadb.start()
    await shaky_mariadb.answers()
    await dns.up()
    assert dns.page("/readyz") == (200, "ready\n")

    shaky_mariadb.kill()
    await until(reactor, lambda: dns.page("/readyz")[0] == 503, "the routes to be stale")
    assert "s ago: mysql://lars@127.0.0.1" in dns.page("/readyz")[1]
    assert dns.page("/healthz") == (200, "ok\n"), "a restart would make it worse"
    agent = await agents.connect(dns.port)
    await agent.answered(M)
    assert agent.hosts(M) == (host(1),)
    shaky_mariadb.start()
    await shaky_mariadb.answers()
    await until(reactor, lambda: dns.page("/readyz") == (200, "ready\n"), "the routes to be checked again")
