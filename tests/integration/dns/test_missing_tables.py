"""A table of the schema is dropped: lars-dns serves on, says what is missing and what to do, and recovers."""

import pytest

from lars.db.schema import init_txn
from lars.route import ModuleId
from tests.integration.dns.agents import Agents
from tests.integration.dns.conftest import StartDns
from tests.integration.dns.running import Routes, host

M, N, K = ModuleId(1, 1), ModuleId(1, 2), ModuleId(1, 3)
A, B, C = host(1), host(2), host(3)


@pytest.mark.parametrize("table", ["RouteData", "RouteVersion", "RouteChange"])
async def test_dropped_table_is_told_once_with_what_to_do_and_empties_no_route(
    start_dns: StartDns, database_url: str, routes: Routes, agents: Agents, table: str
) -> None:
    await routes.put({M: [A], N: [C], K: [C]})
    dns = start_dns(database_url, "--protect-time=30")
    await dns.up()
    agent = await agents.connect(dns.port)
    await agent.answered(M)
    asking = agents.keep_asking(agent, N, K)
    await routes.run(f"DROP TABLE {table}")
    await dns.service.says("run `lars db init` to create what is missing")
    await routes.database.write("create what is missing", init_txn)
    await routes.put({M: [A, B], N: [C], K: [C]})
    await agent.knows(M, [A, B], deadline=10)
    await asking.was_answered()
    assert agent.all_hosts(M) == {(A,), (A, B)}
    assert agent.all_hosts(N) | agent.all_hosts(K) == {(C,)}
    assert len(dns.faults) == len(set(dns.faults)) <= 2, "the look's and the check's"
    assert all(table in line and "serving the last 3 modules" in line for line in dns.faults)
